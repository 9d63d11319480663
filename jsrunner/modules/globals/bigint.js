// BigInt.asUintN. The engine's own returns a negative number if the number of bits is a multiple of the word size.
// @ts-check
import { Number, ObjectDefineProperty } from 'jsrunner:primordials';

const { BigInt } = globalThis;
const { asUintN } = BigInt;

const statics = {
  asUintN(bits, bigint) {
    const width = Number(bits);
    const result = asUintN(width, bigint);
    return result < 0n ? result + (1n << BigInt(width)) : result;
  },
};
ObjectDefineProperty(BigInt, 'asUintN', {
  __proto__: null, value: statics.asUintN, writable: true, configurable: true,
});
