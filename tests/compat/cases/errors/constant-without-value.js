// A constant without a value: exit code 107.
export default function () {
  const value;
  console.log(value);
}
