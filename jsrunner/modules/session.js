// jsrunner:session — what k6/ws and k6/websockets have in common in JavaScript: the kinds of a session's
// events, which are those of enum session_event in core/session.h, and the texts of closings.
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

/** How Go's error for a received close reads, e.g. `websocket: close 1011 (internal server error): reason`. */
export const closeText = (code, reason) => {
  const name = NAMES[code];
  return 'websocket: close ' + code + (name === undefined ? '' : ' (' + name + ')') + (reason === '' ? '' : ': ' + reason);
};

export const CLOSE_SENT = 'websocket: close sent';

/** The option behind a limit that a server has exceeded, by the core's text (core/frames.c). */
const LIMITS = {
  __proto__: null,
  'a frame is too big': ', see --max-frame-size',
  'a message is too big': ', see --max-message-size',
};

/** Return the text of the error for what is too big; k6 has such limits for lengths beyond all bounds only. */
export const tooBigText = (what) => 'websocket: read limit exceeded: ' + what + (LIMITS[what] ?? '');
export const UNEXPECTED_END = 'unexpected EOF';
