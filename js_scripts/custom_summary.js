// A summary of one's own: handleSummary prints a few lines and, if SUMMARY_FILE is given, writes all
// that was measured to that file.
//
//   jsrunner run --with-server -e SUMMARY_FILE=summary.json js_scripts/custom_summary.js
import ws from 'k6/ws';
import { check } from 'k6';
import { Trend } from 'k6/metrics';

const BASE_URL = __ENV.WS_URL || 'ws://127.0.0.1:8765';

const roundTrip = new Trend('round_trip', true);

export const options = {
  vus: 5,
  iterations: 25,
  summaryTrendStats: ['avg', 'med', 'p(95)', 'max'],
  thresholds: { round_trip: ['p(95)<500'], checks: ['rate==1'] },
};

export default function () {
  const res = ws.connect(`${BASE_URL}/echo`, (socket) => {
    let left = 20;
    let sentAt;
    const ask = () => {
      sentAt = Date.now();
      socket.send('ping');
    };
    socket.on('open', ask);
    socket.on('message', () => {
      roundTrip.add(Date.now() - sentAt);
      left -= 1;
      if (left > 0) ask();
      else socket.close(1000);
    });
  });
  check(res, { 'status is 101': (r) => r && r.status === 101 });
}

const line = (name, value) => `  ${name.padEnd(20)}${value}\n`;

export function handleSummary(data) {
  const { metrics, state } = data;
  const verdicts = Object.entries(metrics)
    .flatMap(([name, { thresholds }]) => Object.entries(thresholds ?? {}).map(([source, { ok }]) => (
      line(name, `${source} ${ok ? 'holds' : 'IS CROSSED'}`)
    )))
    .sort();

  let text = '\nWebSocket echo\n\n';
  text += line('sessions', metrics.ws_sessions.values.count);
  text += line('messages', metrics.ws_msgs_received.values.count);
  text += line('round trip, p(95)', `${metrics.round_trip.values['p(95)'].toFixed(2)} ms`);
  text += line('duration', `${(state.testRunDurationMs / 1000).toFixed(1)} s`);
  text += `\nThresholds\n\n${verdicts.join('')}\n`;

  const summary = { stdout: text };
  if (__ENV.SUMMARY_FILE) summary[__ENV.SUMMARY_FILE] = JSON.stringify(data, null, 2);
  return summary;
}
