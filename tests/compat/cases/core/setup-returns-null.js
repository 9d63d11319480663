// setup() returns null: that is what VUs, teardown and the summary get, and not undefined.
export function setup() { return null; }
export default function (data) { console.log('default', data === null, data === undefined, arguments.length); }
export function teardown(data) { console.log('teardown', data === null, data === undefined, arguments.length); }
export function handleSummary(data) {
  console.log('summary', 'setup_data' in data, data.setup_data === null);
  return { 'out.json': JSON.stringify(data.setup_data) };
}
