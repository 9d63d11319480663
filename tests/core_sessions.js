const NAMES = ['open', 'failed', 'text', 'binary', 'ping', 'pong', 'close', 'end', 'reset', 'violation', 'write failed'];
const LAST = ['failed', 'close', 'end', 'reset', 'violation'];
globalThis.seen = [];
globalThis.connect = (isBlocking, on = {}) => {
  const session = core.createSession((kind, value, more, time) => {
    const name = NAMES[kind];
    if (name !== 'open') seen.push(value === undefined ? [name] : more === undefined ? [name, value] : [name, value, more]);
    on.every?.(name, value, more, time);
    on[name]?.(value, more, session);
    if (LAST.includes(name)) { session.shut(); session.stop(); session.finish(); }
  }, isBlocking);
  host('dial', session.id());
  return session;
};
/** See a session through; k6/ws runs once for the handshake, then again. */
globalThis.see = (session, isBlocking) => {
  if (isBlocking) { session.run(); session.run(); } else loop.settle(() => {});
  return seen.splice(0);
};
entries.seen = () => seen;
entries.see = (isBlocking) => see(connect(isBlocking), isBlocking);
