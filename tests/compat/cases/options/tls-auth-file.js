// Paths where the certificate itself belongs.
export const options = { tlsAuth: [{ cert: './client.pem', key: './client.key' }] };

export default function () {}
