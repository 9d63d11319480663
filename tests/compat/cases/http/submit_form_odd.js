import http from 'k6/http';

const page = (html) => http.get(`${__ENV.HTTP_URL}/reply?type=text/html&body=${encodeURIComponent(html)}`);
export default function () {
  for (const html of [
    '<form action="/anything"></form>', '<form action="/anything"><input value="1"></form>',
    '<form action="/anything?k=v"></form>', '<form action="/anything?k=v"><input name="a" value="1"></form>',
    '<form action="/anything?k=v#f" method="get"></form>',
  ]) {
    console.log(page(html).submitForm().request.url.replace(__ENV.HTTP_URL, ''));
  }
  const response = page('<form action="/anything"><input name="a" value="1"></form><a href="/anything">x</a>');
  for (const options of [undefined, null, 5, 'x', [], {}]) {
    for (const method of ['submitForm', 'clickLink']) {
      try {
        console.log(response[method](options).json('path'));
      } catch (error) {
        console.log(String(error));
      }
    }
  }
}
