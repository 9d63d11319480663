entries.run = (count, sockets) => {
  let sent = 0;
  let failure = '';
  let open = 0;
  const all = [];
  for (let i = 0; i < sockets; i += 1) {
    all.push(connect(false, {
      open() {
        open += 1;
        if (open < sockets) return;
        const data = new ArrayBuffer(100_000);
        try {
          while (sent < count) { all[sent % sockets].sendBinary(data); sent += 1; }
        } catch (error) { failure = `${error}`; }
        loop.addTimer(() => { for (const one of all) { one.shut(); one.stop(); } }, 1, -1, 0);
      },
    }));
  }
  loop.settle(() => {});
  return [sent, failure];
};
