import http from 'k6/http';

export default function () {
  const url = http.url`${__ENV.HTTP_URL}/anything/${1}/${'a b'}?x=${null}&y=${undefined}`;
  console.log(JSON.stringify(url), url.name, url.clean_url);
  console.log(http.get(url).json('path'));
  console.log(http.url`${'http://user:secret@127.0.0.1/a b'}`.clean_url);
  for (const parts of ['x', 5, true]) {
    try {
      console.log(http.url(parts));
    } catch (error) {
      console.log(String(error));
    }
  }
}
