export function setup() {
  return { n: new Number(5), s: new String('x'), b: new Boolean(false), t: new Boolean(true), list: [new Number(1.5)] };
}
export default function (data) {
  console.log(data.n, data.b, data.t, data.list[0], Object.keys(data.s).length, typeof data.s);
}
