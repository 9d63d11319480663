// args: --secret-source=url=urlTemplate=http://127.0.0.1/{key},maxRetries=many
// A wrong setting of a source: exit code 255.
export default function () {}
