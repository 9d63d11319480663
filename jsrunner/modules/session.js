// jsrunner:session — for k6/ws and k6/websockets: the kinds of a session's events (enum session_event of
// core/session.h) and the texts of closings.
// @ts-check
import { later } from 'jsrunner:core';

export const OPEN = 0;
export const FAILED = 1;
export const TEXT = 2;
export const BINARY = 3;
export const PING = 4;
export const PONG = 5;
export const CLOSE = 6;
export const END = 7;
export const RESET = 8;
export const VIOLATION = 9;
export const WRITE_FAILED = 10;

export const ABNORMAL = 1006;
export const TOO_BIG = 1009;

export const CLOSE_SENT = 'websocket: close sent';
export const UNEXPECTED_END = 'unexpected EOF';

/** Return k6's error text for a received close frame. @type {(code: number, reason: string) => string} */
export const closeText = later('jsrunner:close_texts', 'closeText');
/** Return the error text for an exceeded limit. @type {(what: string) => string} */
export const tooBigText = later('jsrunner:close_texts', 'tooBigText');
