// Stages that are no list.
export const options = { scenarios: { s: { executor: "ramping-arrival-rate", preAllocatedVUs: 1, stages: "1s:1" } } };

export default function () {
  console.log("ran");
}
