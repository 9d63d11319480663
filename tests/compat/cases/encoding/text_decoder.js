// TextEncoder and TextDecoder: characters cut into pieces, labels, options and inputs of all kinds.
const bytes = (...values) => new Uint8Array(values);
const shown = (text) => text.split('').map((unit) => unit.charCodeAt(0).toString(16)).join(' ');
const attempt = (name, call) => {
  try {
    console.log(`${name}: ${call()}`);
  } catch (e) {
    console.log(`${name}: ${e}`);
  }
};

export default function () {
  const cut = [
    ['utf-8', [0xf0, 0x9f], [0x98, 0x80]], ['utf-8', [0xf0], [0x9f], [0x98], [0x80]], ['utf-8', [0xe2, 0x82], [0x41]], ['utf-8', [0xff], [0x41]],
    ['utf-8', [0x41, 0x42, 0x43, 0xc3], [0xa9, 0xc3], [0xa9]], ['utf-16le', [0x3d, 0xd8], [0, 0xde]], ['utf-16le', [0x3d, 0xd8, 0], [0xde]], ['utf-16le', [0x3d, 0xd8], [0x41, 0]],
    ['utf-16be', [0xd8, 0x3d], [0xde, 0]], ['utf-16be', [0xd8, 0x3d], [0, 0x41]],
  ];
  for (const [label, ...pieces] of cut) {
    attempt(`${label} ${JSON.stringify(pieces)}`, () => {
      const decoder = new TextDecoder(label);
      const texts = pieces.map((piece) => shown(decoder.decode(bytes(...piece), { stream: true })));
      return [...texts, shown(decoder.decode())].join(',');
    });
  }
  for (const label of ['UTF-8', ' utf-8 ', 'utf8', 'utf-16', 'UTF-16BE', 'latin1', '', undefined, null, 5]) {
    attempt(`label ${label}`, () => new TextDecoder(label).encoding);
  }
  for (const options of [undefined, null, 5, 'x', {}, { fatal: 1 }, { fatal: 'x', ignoreBOM: 0 }, [], true]) {
    attempt(`options ${JSON.stringify(options)}`, () => {
      const { fatal, ignoreBOM } = new TextDecoder('utf-8', options);
      return [fatal, ignoreBOM];
    });
  }
  const inputs = {
    nothing: undefined, null: null, text: 'abc', number: 5, list: [65], object: {}, buffer: bytes(65, 66).buffer,
    view: new DataView(bytes(65, 66, 67).buffer, 1, 1), u16: new Uint16Array([0x4241]), part: bytes(65, 66, 67).subarray(1),
  };
  for (const [name, input] of Object.entries(inputs)) {
    attempt(`decode ${name}`, () => new TextDecoder().decode(input));
    attempt(`options of decode ${name}`, () => new TextDecoder().decode(bytes(65), input));
  }
  for (const text of [undefined, null, 5, {}, 'a\ud800b', '\0', 'é€😀']) attempt(`encode ${typeof text}`, () => new TextEncoder().encode(text).join());
  attempt('shapes', () => [TextEncoder.length, TextDecoder.length, new TextEncoder().encoding, JSON.stringify(new TextEncoder()), JSON.stringify(new TextDecoder())].join());
  attempt('without new', () => [TextEncoder().encode('a').length, TextDecoder().decode(bytes(65))]);
}
