import { check, group, sleep } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter } from 'k6/metrics';
import { WebSocket } from 'k6/websockets';
import ws from 'k6/ws';
import { setTimeout as later } from 'k6/timers';
const counter = new Counter('counter');
const note = (at) => counter.add(1, { at });
const set = (owner) => {
  exec.vu.metrics.tags.owner = owner;
  exec.vu.metrics.metadata.trace = owner;
};
const delay = (time) => new Promise((resolve) => setTimeout(resolve, time));
