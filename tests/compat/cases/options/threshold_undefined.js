// A threshold list that is undefined still names a metric.
export const options = { thresholds: { mine: undefined } };

export default function () {
  console.log("ran");
}
