// A promise of the init code that nobody handles: exit code 255, nothing runs.
Promise.reject(new RangeError('in init'));

export default function () {
  console.log('never');
}
