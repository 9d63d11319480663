// jsrunner:close_texts — error texts of closings other than normal ones. The first such closing loads it.
// @ts-check
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

/** The core's text of an exceeded limit (core/frames.c) -> the option that sets the limit. */
const LIMITS = {
  __proto__: null,
  'a frame is too big': ', see --max-frame-size',
  'a message is too big': ', see --max-message-size',
};

/** Return the error text for an exceeded limit. k6 has this error only for lengths beyond 63 bits. */
export const tooBigText = (what) => 'websocket: read limit exceeded: ' + what + (LIMITS[what] ?? '');
