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

/** Return the ArrayBuffer that socket.sendBinary was called with. */
const asBuffer = (args) => {
  if (args.length === 0) throw new GoError('missing argument, expected ArrayBuffer');
  const message = args[0];
  if (isInstance(ArrayBuffer, message)) return message;
  const type = message === undefined || message === null ? String(message) : Object(message).constructor.name;
  throw new GoError('expected ArrayBuffer as argument, received: ' + type);
};

/** Schedule the callback of socket.setTimeout or socket.setInterval. It is called inside session.run(). */
const setTimer = (session, name, repeats, callback, delay) => {
  if (callback !== undefined && callback !== null) mustBeCallable(callback, 0);
  const milliseconds = delay === undefined ? 0 : asNumber(delay);
  const nanoseconds = MathTrunc(milliseconds * 1e6); // k6 holds the delay in 64 bits of nanoseconds
  if (!(nanoseconds > 0 && nanoseconds < INT64_END)) {
    const shown = milliseconds === Infinity ? '+Inf' : milliseconds === -Infinity ? '-Inf'
      : NumberPrototypeToFixed(milliseconds, 2);
    throw new GoError(name + ' requires a >0 timeout parameter, received ' + shown);
  }
  session.setTimer(callback ?? undefined, milliseconds, repeats);
};

/** One call of ws.connect: its session, the handlers of its events, and its end. */
class Connection {
  handlers = { __proto__: null };
  isShut = false;
  refusal = CLOSE_SENT; // the text of the error of a frame that is sent after the end
  session;
  outcome;

  constructor() {
    this.session = createSession((kind, value, reason) => this.receive(kind, value, reason), true);
  }

  fire(event, argument) {
    const list = this.handlers[event];
    if (list === undefined) return;
    if (typeof list === 'function') {
      call(list, argument);
      return;
    }
    // A handler that is added by a handler is called from the next event on.
    for (let i = 0, count = list.length; i < count; i += 1) call(list[i], argument);
  }

  fail(text, fields) {
    this.fire('error', new GoValue(text, fields));
  }

  /** Note that a frame could not be sent. */
  refuse() {
    if (this.isShut) this.fail(this.refusal);
  }

  /** Send a close frame and end the connection without waiting for the server's close frame. */
  shut(code) {
    if (this.isShut) return;
    this.isShut = true;
    const isSent = this.session.sendClose(code);
    const failure = this.session.shut();
    if (failure !== undefined) {
      this.refusal = failure;
      this.fail(failure);
    } else if (!isSent) this.fail(CLOSE_SENT);
    this.fire('close', code);
    this.session.stop();
  }

  failAndShut(text, code, reason) {
    this.fail(text, { __proto__: null, code, text: reason });
    this.shut(code);
  }

  /** Take an event of the session. */
  receive(kind, value, reason) {
    switch (kind) {
      case TEXT: this.fire('message', value); break;
      case BINARY: this.fire('binaryMessage', value); break;
      case PING: this.fire('ping'); break;
      case PONG: this.fire('pong'); break;
      case CLOSE:
        if (value === NORMAL || value === GOING_AWAY) this.shut(value);
        else this.failAndShut(closeText(value, reason), value, reason);
        break;
      case END: this.failAndShut(closeText(ABNORMAL, UNEXPECTED_END), ABNORMAL, UNEXPECTED_END); break;
      case VIOLATION:
        if (value === TOO_BIG) {
          this.fail(tooBigText(reason));
          this.shut(TOO_BIG);
          break;
        }
        this.shut(GOING_AWAY);
        break;
      case RESET: this.shut(GOING_AWAY); break;
      case WRITE_FAILED: this.fail(value); break;
      case OPEN:
      case FAILED: this.outcome = value; break;
      default:
    }
  }

  addHandler(event, handler) {
    const list = this.handlers[event] = withHandler(this.handlers[event], handler);
    // The core calls a sole handler of messages directly, without receive().
    const isBinary = event === 'binaryMessage';
    if (isBinary || event === 'message') this.session.setHandler(isBinary, typeof list === 'function' ? list : undefined);
  }

  /** Return the socket, which scripts get. Its functions do not need their `this`. */
  socket() {
    const { session } = this;
    const connection = this;
    return {
      close(code) {
        connection.shut(arguments.length ? asInt64(code) : GOING_AWAY);
      },
      on(event, handler) {
        if (typeof handler === 'function') connection.addHandler(event, handler);
      },
      ping() {
        if (!session.ping()) connection.refuse();
      },
      send: session.sender(false, (message) => {
        if (!session.sendText(asText(message))) connection.refuse();
      }),
      sendBinary: session.sender(true, (...args) => {
        if (!session.sendBinary(asBuffer(args))) connection.refuse();
      }),
      setInterval(callback, delay) {
        setTimer(session, 'setInterval', true, callback, delay);
      },
      setTimeout(callback, delay) {
        setTimer(session, 'setTimeout', false, callback, delay);
      },
    };
  }
}

export function connect(url, ...args) {
  if (context.inInit) throw new GoError('using websockets in the init context is not supported');
  if (args.length < 1 || args.length > 2) throw new GoError('invalid number of arguments to ws.connect');
  const setup = args[args.length - 1];
  if (typeof setup !== 'function') throw new GoError('last argument to ws.connect must be a function');
  const { headers, tags, jar, compression } = wsParams(args.length === 2 ? args[0] : undefined, PARAMS);
  const address = asText(url);

  const connection = new Connection();
  const { session } = connection;
  session.dial(address, headers, tags, jar, compression, null);
  session.run();
  const { outcome } = connection;
  if (outcome.failure !== undefined && outcome.failure !== null) {
    session.stop();
    session.finish();
    if (outcome.isThrown) throw new GoError(outcome.failure);
    return outcome.response;
  }
  try {
    setup(connection.socket());
    connection.fire('open');
    session.run();
  } catch (error) {
    connection.shut(GOING_AWAY);
    throw error;
  } finally {
    session.stop();
    session.finish();
  }
  return outcome.response;
}

export default { connect };
