// Sockets that are still connecting when their iteration fails.
// ignore: samples, summary
import exec from 'k6/execution';
import { WebSocket } from 'k6/websockets';

export const options = { iterations: 6, insecureSkipTLSVerify: true };

const connect = (url) => {
  const socket = new WebSocket(url);
  socket.onopen = () => console.log('open');
  socket.onerror = (event) => console.log('error', event.error);
  socket.onclose = (event) => console.log('close', event.code, event.reason, socket.readyState);
  return socket;
};

const FAILURES = [
  () => {
    connect(`${__ENV.WS_URL}/slow?ms=100`);
    throw new Error('at once');
  },
  () => {
    connect(`${__ENV.WSS_URL}/echo`);
    Promise.reject(new Error('rejected at once'));
  },
  () => {
    connect(`${__ENV.WS_URL}/slow?ms=200`);
    setTimeout(() => {
      throw new Error('in a timer');
    }, 50);
  },
  () => {
    connect(`${__ENV.WS_URL}/slow?ms=200`);
    setTimeout(() => Promise.reject(new Error('rejected in a timer')), 50);
  },
  () => {
    connect(`${__ENV.WS_URL}/slow?ms=200`);
    connect(`${__ENV.WS_URL}/echo`).onopen = () => {
      throw new Error('in a listener');
    };
  },
  () => {
    connect(`${__ENV.WS_URL}/echo`).onerror = () => {
      throw new Error('in the listener of the error');
    };
    throw new Error('first');
  },
];

export default function () {
  FAILURES[exec.scenario.iterationInTest]();
}
