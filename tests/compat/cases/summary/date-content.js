// also: stdout
// A date as a content: an error in place of the summary.
export default function () {}

export function handleSummary() {
  return { stdout: new Date(0) };
}
