// args: --summary-trend-stats avg,max
// A wrong statistic does not count where the command line replaces it.
export const options = { summaryTrendStats: ['foo'] };

export default function () {}
