// jsrunner:error_lines — texts of handlers' exceptions for error events.
// @ts-check
import { describe } from 'jsrunner:errors';
import { StringPrototypeIndexOf, StringPrototypeSlice } from 'jsrunner:primordials';

const FRAME = '\n\tat ';

/** Return the text of an error event about an exception of a handler. */
export const onOneLine = (error) => {
  const text = describe(error);
  const frames = StringPrototypeIndexOf(text, FRAME);
  if (frames < 0) return text;
  const start = frames + FRAME.length;
  const place = StringPrototypeSlice(text, start, StringPrototypeIndexOf(text, '\n', start));
  return StringPrototypeSlice(text, 0, frames) + ' at ' + place;
};
