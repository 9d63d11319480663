// jsrunner:k6/net/grpc/responses — what a call gives.
// @ts-check
import { addGoStruct } from 'jsrunner:go_methods';
import { codeOf } from 'jsrunner:k6/net/grpc/status';
import { ObjectDefineProperty, ObjectPreventExtensions } from 'jsrunner:primordials';

const MEMBERS = ['message', 'error', 'headers', 'trailers', 'status'];
/** As Go's JSON names them. */
const SHOWN = {
  __proto__: null, message: 'Message', error: 'Error', headers: 'Headers', trailers: 'Trailers', status: 'Status',
};

/** A response of Python's: [message, error, headers, trailers, code]. Members can be set, not added or deleted. */
export const responseOf = (row) => {
  const response = {};
  for (let i = 0; i < MEMBERS.length; i += 1) {
    ObjectDefineProperty(response, MEMBERS[i], {
      __proto__: null, value: i === 4 ? codeOf(row[4]) : row[i], writable: true, enumerable: true,
    });
  }
  addGoStruct(response, SHOWN);
  return ObjectPreventExtensions(response);
};
