// A scenario that says nothing.
export const options = { scenarios: { a: null } };

export default function () {}
