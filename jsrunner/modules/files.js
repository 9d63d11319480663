// jsrunner:files — the files of k6/experimental/fs, which other modules read too.
// @ts-check
import { fail } from 'jsrunner:errors';
import { host, unpack } from 'jsrunner:host';
import { promised } from 'jsrunner:loop';
import {
  MathTrunc, NumberIsFinite, ObjectFreeze, TypedArrayPrototypeGetLength, TypedArrayPrototypeSet, Uint8Array, isInstance,
} from 'jsrunner:primordials';
import { isObject } from 'jsrunner:values';

export const SeekMode = ObjectFreeze({ Start: 0, Current: 1, End: 2 });

let handleOf;

/** A file. Its content is shared by all VUs of the process, its position is the VU's own. */
class File {
  path;
  #handle;
  #info;

  constructor(opened) {
    this.path = opened[1];
    this.#handle = opened[0];
    this.#info = { name: opened[2], size: opened[3] };
  }

  stat() {
    return promised(() => ({ ...this.#info }));
  }

  read(into) {
    return promised(() => {
      if (!isInstance(Uint8Array, into)) fail('TypeError', 'read() failed; reason: into argument must be a Uint8Array');
      const bytes = host('experimental_fs.read', this.#handle, TypedArrayPrototypeGetLength(into));
      if (bytes === undefined) return null;
      const read = new Uint8Array(unpack(bytes));
      TypedArrayPrototypeSet(into, read);
      return TypedArrayPrototypeGetLength(read);
    });
  }

  seek(offset, whence) {
    return promised(() => {
      const refuse = (reason) => fail('TypeError', 'seek() failed; reason: ' + reason);
      if (typeof offset !== 'number' || !NumberIsFinite(offset)) refuse('the offset argument must be a number');
      if (whence !== 0 && whence !== 1 && whence !== 2) refuse('the whence argument must be a SeekMode');
      const distance = MathTrunc(offset);
      if (whence === 0 && distance < 0) refuse('offset cannot be negative when using SeekModeStart');
      if (whence === 2 && distance > 0) refuse('offset cannot be positive when using SeekModeEnd');
      const position = host('experimental_fs.seek', this.#handle, distance, whence);
      if (position === undefined) refuse('the position is outside of the file');
      return position;
    });
  }

  static {
    handleOf = (value) => (isObject(value) && #handle in value ? value.#handle : null);
  }
}

/** A file by its path. Throws what the script is to see. */
export const openFile = (path) => new File(host('experimental_fs.open', path));

/** What the Python halves know a file by, null if the value is no file. */
export { handleOf };
