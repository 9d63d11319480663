entries.echo = (isBlocking, count, size) => {
  let received = 0;
  const session = connect(isBlocking, {
    open(value, more, session) { session.sendText('x'.repeat(size)); },
    text(value, more, session) {
      received += 1;
      if (value.length !== size) throw new Error(`${value.length}`);
      if (received === count) session.sendClose(1000); else session.sendText(value);
    },
  });
  see(session, isBlocking);
  return received;
};
