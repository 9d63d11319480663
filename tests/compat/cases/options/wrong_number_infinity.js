// Options with Infinity.
export const options = { scenarios: { s: { executor: "constant-vus", duration: Infinity } } };

export default function () {
  console.log("ran");
}
