// An executor that is no text.
export const options = { scenarios: { s: { executor: 5 } } };

export default function () {
  console.log("ran");
}
