// No time for teardown is no error of the options.
export const options = { teardownTimeout: 0 };

export default function () {
  console.log("ran");
}
