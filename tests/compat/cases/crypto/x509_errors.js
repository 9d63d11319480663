// k6/crypto/x509: what is no certificate.
import x509 from 'k6/crypto/x509';

export default function () {
  const block = (body, name = 'CERTIFICATE') => `-----BEGIN ${name}-----\n${body}\n-----END ${name}-----`;
  const values = [
    undefined, null, '', 'x', 5, 1.5, true, 1n, [], [1, 2], ['a'], {}, () => 1, /x/, new Date(0), new Uint8Array(2), new Uint16Array(2), new Uint8Array(2).buffer, block('AAAA'), block('!!'), block('MIIB'), block(''),
    '-----BEGIN CERTIFICATE-----', `${block('!!')}\n${block('AAAA')}`, '-----BEGIN A-----\nAAAA\n-----END B-----', `text before\n${block('AAAA')}`, block('Name: value\n\nAAAA'),
  ];
  for (const value of values) {
    for (const name of Object.keys(x509).sort()) {
      try {
        console.log(name, JSON.stringify(x509[name](value)));
      } catch (e) {
        console.log(name, String(e));
      }
    }
  }
}
