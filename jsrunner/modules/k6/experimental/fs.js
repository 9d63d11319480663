// k6/experimental/fs: https://grafana.com/docs/k6/latest/javascript-api/k6-experimental/fs/
// @ts-check
import { context } from 'jsrunner:context';
import { fail } from 'jsrunner:errors';
import { SeekMode, openFile } from 'jsrunner:files';
import { promised } from 'jsrunner:loop';
import { String } from 'jsrunner:primordials';
import { isNullish } from 'jsrunner:values';

export function open(path) {
  return promised(() => {
    if (!context.inInit) {
      fail('ForbiddenError', 'open() failed; reason: opening a file is allowed only in the Init context');
    }
    if (isNullish(path)) fail('TypeError', 'open() failed; reason: path cannot be null or undefined');
    const name = String(path);
    if (name === '') fail('TypeError', 'open() failed; reason: path cannot be empty');
    return openFile(name);
  });
}

export { SeekMode };

export default { SeekMode, open };
