// A statistic that does not exist: exit code 255.
export const options = { summaryTrendStats: ['avg', 'foo'] };

export default function () {}
