import http from 'k6/http';

const TEXTS = ['nul', 'tru', '-', '1.', '1e', '-1e+', '"abc', '"\\u12', '"\\', '[1,', '{"a"', '{"a":fals', '[nul', 'nul ', 'nu\n'];
export default function () {
  for (const text of TEXTS) {
    const response = http.post(`${__ENV.HTTP_URL}/echo`, text);
    try {
      console.log(response.json());
    } catch (error) {
      console.log(JSON.stringify(text), String(error));
    }
  }
}
