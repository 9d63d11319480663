export const options = { scenarios: { a: { executor: 'shared-iterations', exec: 'handleSummary' } } };
export function handleSummary() {
  console.log('called');
  return {};
}
