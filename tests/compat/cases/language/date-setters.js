// Date setters: what makes a date invalid, what is carried over, and what an invalid date takes.
export default function () {
  const setters = ['setDate', 'setFullYear', 'setHours', 'setMilliseconds', 'setMinutes', 'setMonth', 'setSeconds', 'setTime', 'setUTCDate', 'setUTCFullYear', 'setUTCHours',
    'setUTCMilliseconds', 'setUTCMinutes', 'setUTCMonth', 'setUTCSeconds'];
  const values = [[], [NaN], [undefined], [null], ['3'], ['x'], [3.9], [-3.9], [Infinity], [5, 6], [5, NaN], [5, 6, 7, 8], [1e9], [true]];
  for (const setter of setters) {
    console.log(setter, Date.prototype[setter].length, values.map((args) => {
      const date = new Date(1719829230456);
      const result = date[setter](...args);
      return Object.is(result, date.getTime()) ? result : `${result}/${date.getTime()}`;
    }).join(' '));
    const invalid = new Date(NaN);
    console.log(setter, invalid[setter](5), invalid.getTime());
  }
}
