// A duration of more nanoseconds than 64 bits hold.
export const options = { scenarios: { s: { executor: "constant-vus", duration: 1e30 } } };

export default function () {
  console.log("ran");
}
