// setup() returns undefined: VUs, teardown and the summary get that.
export function setup() { return undefined; }
export default function (data) { console.log('default', data === null, data === undefined, arguments.length); }
export function teardown(data) { console.log('teardown', data === null, data === undefined, arguments.length); }
export function handleSummary(data) {
  console.log('summary', 'setup_data' in data, data.setup_data === null);
  return { 'out.json': String(data.setup_data) };
}
