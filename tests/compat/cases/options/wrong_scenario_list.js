// A scenario that is a list.
export const options = { scenarios: { s: [] } };

export default function () {
  console.log("ran");
}
