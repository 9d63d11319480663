// Null among the texts of env and tags.
export const options = { scenarios: { s: { executor: "per-vu-iterations", env: { A: null }, tags: { b: null } } } };

export default function () {
  console.log("ran");
}
