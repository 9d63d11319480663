// jsrunner:session — for k6/ws and k6/websockets: the kinds of a session's events (enum session_event of
// core/session.h) and the texts of closings.
// @ts-check
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

export const NO_STATUS = 1005;
export const ABNORMAL = 1006;
export const TOO_BIG = 1009;

const NAMES = {
  __proto__: null,
  1000: 'normal',
  1001: 'going away',
  1002: 'protocol error',
  1003: 'unsupported data',
  1005: 'no status',
  1006: 'abnormal closure',
  1007: 'invalid payload data',
  1008: 'policy violation',
  1009: 'message too big',
  1010: 'mandatory extension missing',
  1011: 'internal server error',
  1015: 'TLS handshake error',
};

/** Return k6's error text for a received close frame: `websocket: close 1011 (internal server error): reason`. */
export const closeText = (code, reason) => {
  const name = NAMES[code];
  return 'websocket: close ' + code + (name === undefined ? '' : ' (' + name + ')') + (reason === '' ? '' : ': ' + reason);
};

export const CLOSE_SENT = 'websocket: close sent';

/** The core's text of an exceeded limit (core/frames.c) -> the option that sets the limit. */
const LIMITS = {
  __proto__: null,
  'a frame is too big': ', see --max-frame-size',
  'a message is too big': ', see --max-message-size',
};

/** Return the error text for an exceeded limit. k6 has this error only for lengths beyond 63 bits. */
export const tooBigText = (what) => 'websocket: read limit exceeded: ' + what + (LIMITS[what] ?? '');
export const UNEXPECTED_END = 'unexpected EOF';
