// args: --secret-source=mock=default
// A mock source without any secret: exit code 255.
export default function () {}
