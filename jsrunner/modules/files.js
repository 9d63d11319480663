// jsrunner:files — the files of k6/experimental/fs, also for other modules.
// @ts-check
import { TypedArrayPrototypeSet } from 'jsrunner:bytes';
import { fail } from 'jsrunner:errors';
import { host } from 'jsrunner:host';
import { promised } from 'jsrunner:loop';
import { NumberIsSafeInteger } from 'jsrunner:more_primordials';
import {
  SafeWeakMap, TypedArrayPrototypeGetLength, TypedArrayPrototypeGetSymbolToStringTag, Uint8Array,
} from 'jsrunner:primordials';
import { isNullish } from 'jsrunner:values';

export const SeekMode = { Start: 0, Current: 1, End: 2 };

const handles = new SafeWeakMap();

/** Return the handle of a file in the Python halves, null if the value is no file. */
export const handleOf = (value) => handles.get(value) ?? null;

/** Return a function that throws a TypeError with the name of the method. */
const refusing = (method) => (reason) => fail('TypeError', method + '() failed; reason: ' + reason);
const refuseRead = refusing('read');
const refuseSeek = refusing('seek');

const checkInteger = (name, value) => {
  if (isNullish(value)) refuseSeek('the ' + name + ' argument cannot be null or undefined');
  if (!NumberIsSafeInteger(value)) refuseSeek('the ' + name + ' argument must be a number');
};

/**
 * Open a file by its path. All VUs of the process share the content; each VU has a position of its own.
 * Throws k6's error for the script.
 */
export const openFile = (given) => {
  const { handle, path, name, size } = host('experimental_fs.open', given);
  const file = {
    path,
    stat: () => promised(() => ({ name, size })),
    read: (into) => promised(() => {
      if (isNullish(into)) refuseRead('into argument cannot be null or undefined');
      if (TypedArrayPrototypeGetSymbolToStringTag(into) !== 'Uint8Array') {
        refuseRead('into argument must be a Uint8Array');
      }
      const bytes = host('experimental_fs.read', handle, TypedArrayPrototypeGetLength(into));
      if (bytes === undefined) return null;
      const read = new Uint8Array(bytes);
      TypedArrayPrototypeSet(into, read);
      return TypedArrayPrototypeGetLength(read);
    }),
    seek: (offset, whence) => promised(() => {
      checkInteger('offset', offset);
      checkInteger('whence', whence);
      if (whence < 0 || whence > 2) refuseSeek('the whence argument must be a SeekMode');
      return host('experimental_fs.seek', handle, offset, whence);
    }),
  };
  handles.set(file, handle);
  return file;
};
