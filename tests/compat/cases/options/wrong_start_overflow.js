// A start time of more nanoseconds than 64 bits hold.
export const options = { scenarios: { s: { executor: "per-vu-iterations", startTime: 1e15, gracefulStop: "1e300" } } };

export default function () {
  console.log("ran");
}
