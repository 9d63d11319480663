// Options with a BigInt.
export const options = { vus: 2n, iterations: 3n };

export default function () {
  console.log("ran");
}
