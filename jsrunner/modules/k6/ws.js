// k6/ws: https://grafana.com/docs/k6/latest/javascript-api/k6-ws/
// ws.connect blocks its VU: session.run() delivers the session's events until the script or the server
// closes it. Promise jobs run only after connect has returned, as in k6.
// @ts-check
import { context } from 'jsrunner:context';
import { createSession } from 'jsrunner:core';
import { GoError, GoValue, mustBeCallable } from 'jsrunner:errors';
import {
  ArrayBuffer, ArrayPrototypePush, MathTrunc, NumberPrototypeToFixed, Object, SafeArray, String, isInstance,
} from 'jsrunner:primordials';
import {
  ABNORMAL, BINARY, CLOSE, CLOSE_SENT, END, FAILED, OPEN, PING, PONG, RESET, TEXT, TOO_BIG, UNEXPECTED_END,
  VIOLATION, WRITE_FAILED, closeText, tooBigText,
} from 'jsrunner:session';
import { INT64_END, asInt64, asNumber, asText } from 'jsrunner:values';
import { wsParams } from 'jsrunner:ws_params';

const NORMAL = 1000;
const GOING_AWAY = 1001;

const PARAMS = { __proto__: null, tagError: 'invalid ws.connect() metric tags: ', mayBeEmpty: true };

const call = (handler, argument) => {
  if (argument === undefined) handler();
  else handler(argument);
};

/** Add a handler to those of an event. Return the function if it is the only handler, else a list of all. */
const withHandler = (list, handler) => {
  if (list === undefined) return handler;
  if (typeof list === 'function') return SafeArray(list, handler);
  ArrayPrototypePush(list, handler);
  return list;
};

/** Schedule the callback of socket.setTimeout or socket.setInterval. It is called inside session.run(). */
const setTimer = (session, name, repeats, callback, delay) => {
  if (callback !== undefined) mustBeCallable(callback, 0);
  const milliseconds = delay === undefined ? 0 : asNumber(delay);
  const nanoseconds = MathTrunc(milliseconds * 1e6); // k6 holds the delay in 64 bits of nanoseconds
  if (!(nanoseconds > 0 && nanoseconds < INT64_END)) {
    const shown = milliseconds === Infinity ? '+Inf' : milliseconds === -Infinity ? '-Inf'
      : NumberPrototypeToFixed(milliseconds, 2);
    throw new GoError(name + ' requires a >0 timeout parameter, received ' + shown);
  }
  session.setTimer(callback, milliseconds, repeats);
};

export function connect(url, ...args) {
  if (context.inInit) throw new GoError('using websockets in the init context is not supported');
  if (args.length < 1 || args.length > 2) throw new GoError('invalid number of arguments to ws.connect');
  const setup = args[args.length - 1];
  if (typeof setup !== 'function') throw new GoError('last argument to ws.connect must be a function');
  const { headers, tags, jar, compression } = wsParams(args.length === 2 ? args[0] : undefined, PARAMS);
  const address = asText(url);

  const handlers = { __proto__: null };
  let closed = false;
  let session; // eslint-disable-line prefer-const
  let outcome;

  const fire = (event, argument) => {
    const list = handlers[event];
    if (list === undefined) return;
    if (typeof list === 'function') {
      call(list, argument);
      return;
    }
    // A handler that is added by a handler is called from the next event on.
    for (let i = 0, count = list.length; i < count; i += 1) call(list[i], argument);
  };
  const fail = (text, fields) => fire('error', new GoValue(text, fields));

  /** Send a close frame and end the connection without waiting for the server's close frame. */
  const shut = (code) => {
    if (closed) return;
    closed = true;
    const isSent = session.sendClose(code);
    const failure = session.shut();
    if (failure !== undefined) fail(failure);
    else if (!isSent) fail(CLOSE_SENT);
    fire('close', code);
    session.stop();
  };
  const failAndShut = (text, code, reason) => {
    fail(text, { __proto__: null, code, text: reason });
    shut(code);
  };

  const receive = (kind, value, reason) => {
    switch (kind) {
      case TEXT: fire('message', value); break;
      case BINARY: fire('binaryMessage', value); break;
      case PING: fire('ping'); break;
      case PONG: fire('pong'); break;
      case CLOSE:
        if (value === NORMAL || value === GOING_AWAY) shut(value);
        else failAndShut(closeText(value, reason), value, reason);
        break;
      case END: failAndShut(closeText(ABNORMAL, UNEXPECTED_END), ABNORMAL, UNEXPECTED_END); break;
      case VIOLATION:
        if (value === TOO_BIG) {
          fail(tooBigText(reason));
          shut(TOO_BIG);
          break;
        }
        shut(GOING_AWAY);
        break;
      case RESET: shut(GOING_AWAY); break;
      case WRITE_FAILED: fail(value); break;
      case OPEN:
      case FAILED: outcome = value; break;
      default:
    }
  };

  session = createSession(receive, true);
  session.dial(address, headers, tags, jar, compression, '');
  session.run();
  if (outcome.failure !== undefined && outcome.failure !== null) {
    session.stop();
    session.finish();
    if (outcome.isThrown) throw new GoError(outcome.failure);
    return outcome.response;
  }

  const socket = {
    close(code) {
      shut(arguments.length ? asInt64(code) : GOING_AWAY);
    },
    on(event, handler) {
      if (typeof handler !== 'function') return;
      const list = handlers[event] = withHandler(handlers[event], handler);
      // The core calls a sole handler of messages directly, without receive().
      const isBinary = event === 'binaryMessage';
      if (isBinary || event === 'message') session.setHandler(isBinary, typeof list === 'function' ? list : undefined);
    },
    ping() {
      if (!session.ping() && closed) fail(CLOSE_SENT);
    },
    send: session.sender(false, (message) => {
      if (!session.sendText(asText(message)) && closed) fail(CLOSE_SENT);
    }),
    sendBinary: session.sender(true, (...args) => {
      if (args.length === 0) throw new GoError('missing argument, expected ArrayBuffer');
      const message = args[0];
      if (!isInstance(ArrayBuffer, message)) {
        const type = message === undefined || message === null ? String(message) : Object(message).constructor.name;
        throw new GoError('expected ArrayBuffer as argument, received: ' + type);
      }
      if (!session.sendBinary(message) && closed) fail(CLOSE_SENT);
    }),
    setInterval(callback, delay) {
      setTimer(session, 'setInterval', true, callback, delay);
    },
    setTimeout(callback, delay) {
      setTimer(session, 'setTimeout', false, callback, delay);
    },
  };

  try {
    setup(socket);
    fire('open');
    session.run();
  } catch (error) {
    shut(GOING_AWAY);
    throw error;
  } finally {
    session.stop();
    session.finish();
  }
  return outcome.response;
}

export default { connect };
