// Options that are a Map.
export const options = new Map([["vus", 2]]);

export default function () {
  console.log("ran");
}
