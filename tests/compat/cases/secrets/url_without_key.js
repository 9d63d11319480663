// args: --secret-source=url=urlTemplate=http://127.0.0.1/
// Where the key belongs must be said: exit code 255.
export default function () {}
