// sort with functions that contradict themselves, what they are called with and in which order; stability; toSorted.
export default function () {
  const calls = [];
  const traced = (a, b) => {
    calls.push(`${a}${b}`);
    return a - b;
  };
  console.log([5, 3, 1, 4, 2].sort(traced).join(), calls.join(' '));
  console.log([3, 1, 2].sort((a, b) => a > b).join(), [3, 1, 2].sort((a, b) => a < b).join(), [3, 1, 2].sort((a, b) => (a > b ? 1 : 0)).join());
  console.log([3, 1, 2].sort(() => NaN).join(), [3, 1, 2].sort(() => '1').join(), [3, 1, 2].sort(() => -1).join(), [3, 1, 2].sort(() => 0).join());
  const many = Array.from({ length: 60 }, (_, i) => (i * 37) % 60);
  console.log([...many].sort((a, b) => a > b).join() === many.join(), [...many].sort((a, b) => a - b).join());
  console.log([...many].sort((a, b) => (a < b ? -1 : 0)).join() === [...many].sort((a, b) => a - b).join());
  const pairs = Array.from({ length: 300 }, (_, i) => ({ key: i % 5, i })).sort((a, b) => a.key - b.key);
  console.log(pairs.every((pair, i) => !i || pairs[i - 1].key < pair.key || pairs[i - 1].i < pair.i));
  console.log(JSON.stringify([3, undefined, 1, , 2].sort((a, b) => a - b)), JSON.stringify([3, undefined, 1].toSorted((a, b) => b - a)));
  console.log([10, 9, 1].sort().join(), [10, 9, 1].sort(undefined).join(), [3, 1, 2].toSorted((a, b) => a > b).join(), [3, 1, 2].toSorted().join());
  for (const bad of [null, {}, 'x']) {
    try {
      [1, 2].sort(bad);
    } catch (e) {
      console.log(e.name);
    }
  }
  try {
    [2, 1].sort(() => { throw new RangeError('no'); });
  } catch (e) {
    console.log(String(e));
  }
  console.log([].sort.length, [].sort.name, [].toSorted.length, Object.keys(Array.prototype).length, Array.isArray([2, 1].sort((a, b) => a - b)));
}
