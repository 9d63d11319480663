// jsrunner:k6/net/grpc/clients — client objects of scripts -> numbers of the clients in Python.
// @ts-check
import { SafeWeakMap } from 'jsrunner:primordials';
import { isObject } from 'jsrunner:values';

const numbers = new SafeWeakMap();

export const keepNumber = (client, number) => numbers.set(client, number);

/** Return the number of a client, undefined for any other value. */
export const numberOf = (value) => (isObject(value) ? numbers.get(value) : undefined);
