// args: --secret-source=mock=name=x,a=1 --secret-source=mock=name=x,b=2
// Two sources of one name: exit code 255.
export default function () {}
