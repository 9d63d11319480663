// A number among the texts of tags.
export const options = { scenarios: { s: { executor: "per-vu-iterations", tags: { b: 5 } } } };

export default function () {
  console.log("ran");
}
