// args: --system-tags nope
// Unknown system tags are passed over, and none is left.
import exec from 'k6/execution';

export default function () {
  console.log(exec.test.options.systemTags, JSON.stringify(exec.test.options.dns));
}
