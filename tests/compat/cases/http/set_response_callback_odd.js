import http from 'k6/http';

export default function () {
  for (const callback of [undefined, 5, 'x', {}, () => true]) {
    try {
      console.log(http.setResponseCallback(callback));
    } catch (error) {
      console.log(String(error));
    }
    http.get(`${__ENV.HTTP_URL}/status/500`);
  }
  console.log(http.setResponseCallback(http.expectedStatuses(500)));
  http.get(`${__ENV.HTTP_URL}/status/500`);
  console.log(http.setResponseCallback());
  http.get(`${__ENV.HTTP_URL}/status/500`);
}
