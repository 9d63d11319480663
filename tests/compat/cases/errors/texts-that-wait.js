// Texts of values that errors name are made by the script's own code, which may wait; dates are shown as k6 shows them.
import { sleep } from 'k6';
import http from 'k6/http';

const message = (call) => {
  try {
    call();
    return 'none';
  } catch (error) {
    return `${error.name} ${error.message}`;
  }
};

export default function () {
  const slow = { toString() { sleep(0.05); return 'slow'; } };
  const asks = { toString() { return `status ${http.get(`${__ENV.HTTP_URL}/get`).status}`; } };
  const date = new Date(0);
  console.log(message(() => slow()));
  console.log(message(() => asks()));
  console.log(message(() => date()));
  console.log(message(() => JSON.parse({ toString() { sleep(0.05); return '{a'; } })));
}
