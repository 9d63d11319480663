// A name is declared twice: exit code 107.
const once = 1;

export default function () {
  const twice = 1;
  console.log(twice);
  let twice = once;
}
