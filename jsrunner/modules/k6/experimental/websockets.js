// k6/experimental/websockets: the old name of k6/websockets.
// @ts-check
import { host } from 'jsrunner:host';
import { Blob, WebSocket } from 'k6/websockets';

host('experimental_websockets.warn_once');

export { Blob, WebSocket };
