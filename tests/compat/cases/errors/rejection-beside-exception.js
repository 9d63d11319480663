// args: --iterations 2
// An iteration fails once: a promise that it has rejected besides is not reported.
export default async function () {
  if (__ITER === 0) Promise.reject(new Error('rejection of the iteration'));
  if (__ITER === 1) {
    Promise.resolve().then(() => {});
    throw new Error('exception of an async function');
  }
}
