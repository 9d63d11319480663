// also: warnings
// Features cannot be enabled by a script, which is told.
export const options = { features: ['merge-run-tags'], tags: { a: '1' } };

export default function () {}
