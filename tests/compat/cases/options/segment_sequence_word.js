export const options = { executionSegmentSequence: 'x' };
export default function () {}
