// A cipher suite that k6 does not know.
export const options = { tlsCipherSuites: ['TLS_RSA_WITH_AES_128_CBC_SHA', 'AES128-SHA'] };

export default function () {}
