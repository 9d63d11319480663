// k6/experimental/fs: https://grafana.com/docs/k6/latest/javascript-api/k6-experimental/fs/
// @ts-check
import { context } from 'jsrunner:context';
import { fail } from 'jsrunner:errors';
import { SeekMode, openFile } from 'jsrunner:files';
import { promised } from 'jsrunner:loop';
import { String } from 'jsrunner:primordials';
import { isNullish } from 'jsrunner:values';

const refuse = (name, reason) => fail(name, 'open() failed; reason: ' + reason);

export function open(path) {
  return promised(() => {
    if (!context.inInit) refuse('ForbiddenError', 'opening a file is allowed only in the Init context');
    if (isNullish(path)) refuse('TypeError', 'path cannot be null or undefined');
    const text = String(path);
    if (text === '') refuse('TypeError', 'path cannot be empty');
    return openFile(text);
  });
}

export { SeekMode };

export default { SeekMode, open };
