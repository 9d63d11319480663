// TypeScript's own statements for CommonJS: `import name = require(...)`, and a module with `export =`.
import encoding = require('k6/encoding');
import shared = require('./_lib/assigned.ts');

interface Shared { name: string }

export const options = { iterations: 1 };

export default function (): void {
  const one: Shared = shared;
  console.log(encoding.b64encode('x'), one.name, Object.keys(shared));
}
