// A fraction as a stage's target.
export const options = { scenarios: { s: { executor: "ramping-vus", stages: [{ duration: "1s", target: 1.5 }] } } };

export default function () {
  console.log("ran");
}
