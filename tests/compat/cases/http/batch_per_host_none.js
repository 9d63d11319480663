// retries: 2
// A batchPerHost of 0 does not bound the requests of a batch to one host; the option batch does.
import http from 'k6/http';

export const options = { batchPerHost: 0, batch: 7 };
const key = `${Date.now()}-${Math.random()}`;

export default function () {
  const one = ['GET', `${__ENV.HTTP_URL}/gate?ms=80&key=${key}`, null, { tags: { name: 'gate' } }];
  http.batch(new Array(9).fill(one));
  const res = http.get(`${__ENV.HTTP_URL}/gate?key=${key}`, { tags: { name: 'peek' } });
  console.log(res.json('most'), res.json('count'));
}
