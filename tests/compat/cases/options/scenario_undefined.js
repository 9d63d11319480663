// A scenario that is undefined.
export const options = { scenarios: { s: undefined } };

export default function () {
  console.log("ran");
}
