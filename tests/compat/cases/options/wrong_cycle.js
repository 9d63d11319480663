// Options that hold themselves.
export const options = (() => { const o = { ext: {} }; o.ext.o = o; return o; })();

export default function () {
  console.log("ran");
}
