// jsrunner:files — the files of k6/experimental/fs, which other modules read too.
// @ts-check
import { fail } from 'jsrunner:errors';
import { host, unpack } from 'jsrunner:host';
import { promised } from 'jsrunner:loop';

export const SeekMode = Object.freeze({ Start: 0, Current: 1, End: 2 });

let handleOf;

/** A file. Its content is shared by all VUs of the process, its position is the VU's own. */
class File {
  #handle;
  #info;

  constructor([handle, path, name, size]) {
    this.path = path;
    this.#handle = handle;
    this.#info = { name, size };
  }

  stat() {
    return promised(() => ({ ...this.#info }));
  }

  read(into) {
    return promised(() => {
      if (!(into instanceof Uint8Array)) fail('TypeError', 'read() failed; reason: into argument must be a Uint8Array');
      const bytes = host('experimental_fs.read', this.#handle, into.length);
      if (bytes === undefined) return null;
      const read = new Uint8Array(unpack(bytes));
      into.set(read);
      return read.length;
    });
  }

  seek(offset, whence) {
    return promised(() => {
      const refuse = (reason) => fail('TypeError', 'seek() failed; reason: ' + reason);
      if (typeof offset !== 'number' || !Number.isFinite(offset)) refuse('the offset argument must be a number');
      if (![0, 1, 2].includes(whence)) refuse('the whence argument must be a SeekMode');
      const distance = Math.trunc(offset);
      if (whence === SeekMode.Start && distance < 0) refuse('offset cannot be negative when using SeekModeStart');
      if (whence === SeekMode.End && distance > 0) refuse('offset cannot be positive when using SeekModeEnd');
      const position = host('experimental_fs.seek', this.#handle, distance, whence);
      if (position === undefined) refuse('the position is outside of the file');
      return position;
    });
  }

  static {
    handleOf = (value) => (typeof value === 'object' && value !== null && #handle in value ? value.#handle : null);
  }
}

/** A file by its path. Throws what the script is to see. */
export const openFile = (path) => new File(host('experimental_fs.open', path));

/** What the Python halves know a file by, null if the value is no file. */
export { handleOf };
