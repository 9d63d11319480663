// Options with NaN.
export const options = { vus: 1, ext: { a: [NaN] } };

export default function () {
  console.log("ran");
}
