// also: stdout
// Null as a content, and what else has a type of its own: an error in place of the summary.
export default function () {}

export function handleSummary() {
  return { stdout: null };
}
