// A version that there is not.
export const options = { tlsVersion: 'tls9' };

export default function () {}
