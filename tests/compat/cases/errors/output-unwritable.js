// args: --out csv=/nonexistent/x.csv
// ignore: samples
export default function () {}
