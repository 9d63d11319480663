// jsrunner:go_type_names — the names of Go's types. The first error text with such a name loads it.
// @ts-check
import { isGoInteger } from 'jsrunner:go_types';
import {
  Date, DatePrototypeGetTime, Map, Set, StringPrototypeToLowerCase,
} from 'jsrunner:more_primordials';
import {
  ArrayBuffer, ArrayBufferIsView, ArrayIsArray, Boolean, Number, NumberIsNaN, Promise, RegExpPrototypeExec,
  TypedArrayPrototypeGetSymbolToStringTag, isInstance,
} from 'jsrunner:primordials';

/** Return the type of a typed array's items; undefined for a DataView. */
const itemType = (view) => {
  const name = TypedArrayPrototypeGetSymbolToStringTag(view);
  return name && StringPrototypeToLowerCase(RegExpPrototypeExec(/^(?:Big)?(.*?)(?:Clamped)?Array$/, name)[1]);
};

/** Return the name of a value's type in Go. */
export const goType = (value) => {
  switch (typeof value) {
    case 'undefined': return '<nil>';
    case 'string': case 'symbol': return 'string';
    case 'boolean': return 'bool';
    case 'number': return isGoInteger(value) ? 'int64' : 'float64';
    case 'bigint': return '*big.Int';
    case 'function': return 'func(sobek.FunctionCall) sobek.Value';
    default:
  }
  if (value === null) return '<nil>';
  if (ArrayIsArray(value) || isInstance(Set, value)) return '[]interface {}';
  if (isInstance(Date, value)) return NumberIsNaN(DatePrototypeGetTime(value)) ? '<nil>' : 'time.Time';
  if (isInstance(Map, value)) return '[][2]interface {}';
  if (isInstance(ArrayBuffer, value)) return 'sobek.ArrayBuffer';
  if (isInstance(Promise, value)) return '*sobek.Promise';
  if (isInstance(Number, value)) return goType(Number(value));
  if (isInstance(Boolean, value)) return 'bool';
  const item = ArrayBufferIsView(value) ? itemType(value) : undefined;
  return item ? '[]' + item : 'map[string]interface {}';
};
