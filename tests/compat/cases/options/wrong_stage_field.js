// A stage with a field that there is none of.
export const options = { scenarios: { s: { executor: "ramping-vus", stages: [{ duration: "1s", target: 1, until: 1 }] } } };

export default function () {
  console.log("ran");
}
