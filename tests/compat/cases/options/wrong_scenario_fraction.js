// A fraction where a scenario's field is a whole number.
export const options = { scenarios: { s: { executor: "constant-vus", vus: 1.5, duration: "1s" } } };

export default function () {
  console.log("ran");
}
