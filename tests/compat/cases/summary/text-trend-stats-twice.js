// args: --summary-trend-stats avg,avg,p(95),p(95),count
// also: summary
import { Trend } from 'k6/metrics';

const trend = new Trend('values');
export default function () {
  for (let i = 0; i < 7; i += 1) trend.add(i * 1.5);
}
