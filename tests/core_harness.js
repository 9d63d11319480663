let begun = 0;
entries.begun = () => begun;
globalThis.kept = {};
globalThis.define = (name, body) => {
  entries[name] = () => {
    begun += 1;
    const ballast = new ArrayBuffer(100_000);
    body(ballast);
    loop.settle(() => {});
  };
};
entries.whole = () => {
  const order = [];
  loop.addTimer(() => order.push('timer'), 0, -1, 0);
  loop.queueTask(() => order.push('task'));
  Promise.resolve().then(() => order.push('job'));
  core.sleep(0);
  order.push(host('quick'));
  loop.settle(() => {});
  return order;
};
