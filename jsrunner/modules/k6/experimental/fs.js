// k6/experimental/fs: https://grafana.com/docs/k6/latest/javascript-api/k6-experimental/fs/
// @ts-check
import { context } from 'jsrunner:context';
import { fail } from 'jsrunner:errors';
import { promised } from 'jsrunner:loop';
import { SeekMode, openFile } from 'jsrunner:files';

export function open(path) {
  return promised(() => {
    if (!context.inInit) {
      fail('ForbiddenError', 'open() failed; reason: opening a file is allowed only in the Init context');
    }
    if (path === undefined || path === null) fail('TypeError', 'open() failed; reason: path cannot be null or undefined');
    if (String(path) === '') fail('TypeError', 'open() failed; reason: path cannot be empty');
    return openFile(String(path));
  });
}

export { SeekMode };

export default { SeekMode, open };
