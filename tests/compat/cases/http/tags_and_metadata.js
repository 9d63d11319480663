// Tags and metadata of samples of requests: those of the VU when they were made, with their own over them.
// env: K6_SYSTEM_TAGS=vu,iter,scenario,group,check,name,url,status,subproto,ip,method,proto,error,error_code,expected_response
import exec from 'k6/execution';
import { group } from 'k6';
import http from 'k6/http';
export const options = { tags: { url: 'runurl', status: 'rs', who: 'run', method: 'rm', expected_response: 'rr' } };
export default async function () {
  const { tags, metadata } = exec.vu.metrics;
  const url = `${__ENV.HTTP_URL}/status/200`;
  metadata.m = '1';
  http.get(url);
  tags.url = 'vuurl'; tags.status = 'vs'; tags.group = 'vg'; tags.scenario = 'vscn';
  http.get(url);
  http.get(url, { tags: { name: 'n', url: 'cu', status: 'cs', group: 'cg', scenario: 'cscn', expected_response: 'ce' } });
  tags.name = 'vuname';
  http.get(url);
  http.get(url, { tags: { name: 'n2' } });
  http.get(url, { tags: { name: '' } });
  tags.name = '';
  http.get(url);
  delete tags.name;
  http.get(http.url`${url}?a=${5}`);
  tags.name = 'vn2';
  http.get(http.url`${url}?a=${5}`);
  http.get(`${__ENV.HTTP_URL}/status/404`, { responseCallback: null });
  tags.error = 'e'; tags.error_code = 'ec'; tags.proto = 'pp';
  http.get('http://127.0.0.1:1/');
  http.get(url);
  const p = http.asyncRequest('GET', url, null, { tags: { async: '1' } });
  metadata.m = '2'; tags.after = 'x'; delete tags.group;
  await p;
  group('g', () => http.batch([url, { method: 'GET', url, params: { tags: { b: '1', group: 'q' } } }]));
}
