import http from 'k6/http';

export default function () {
  for (const data of ['text', new ArrayBuffer(2), new Uint8Array([65]), new Uint16Array(1), new DataView(new ArrayBuffer(1)), {}, [1], 5, null]) {
    try {
      const file = http.file(data, 'name.txt');
      console.log(typeof file.data, file.filename, file.content_type);
    } catch (error) {
      console.log(String(error));
    }
  }
}
