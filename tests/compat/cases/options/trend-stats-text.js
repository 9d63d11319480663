// A text where a list belongs: exit code 104.
export const options = { summaryTrendStats: 'avg' };

export default function () {}
