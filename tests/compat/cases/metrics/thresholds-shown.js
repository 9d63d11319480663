// also: summary
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const trend = new Trend('my_trend', true);
const rate = new Rate('my_rate');
const gauge = new Gauge('my_gauge');
const counter = new Counter('my_counter');
export const options = {
  thresholds: {
    my_trend: ['avg!=7', 'p(.5)<9', 'p(05.0)<9', 'p(99.90)<9', 'p(99.9)<9', 'p(50.)<9', 'med!=3', 'p(12.5)!=4'],
    my_rate: ['rate!=0.3'],
    my_gauge: ['value!=9'],
    my_counter: ['count!=5', 'count>1'],
  },
};
export default function () {
  trend.add(4);
  rate.add(1);
  gauge.add(3);
  counter.add(4);
}
