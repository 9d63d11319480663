// jsrunner:k6/net/grpc/clients — which client of Python's a script's object stands for.
// @ts-check
import { SafeWeakMap } from 'jsrunner:primordials';
import { isObject } from 'jsrunner:values';

const numbers = new SafeWeakMap();

export const keepNumber = (client, number) => numbers.set(client, number);

/** The number of a client, undefined for what is none. */
export const numberOf = (value) => (isObject(value) ? numbers.get(value) : undefined);
