// also: stdout
// handleSummary rejects with a text: that is its result, and no map.
export default function () {}

export async function handleSummary() {
  throw 'a text';
}
