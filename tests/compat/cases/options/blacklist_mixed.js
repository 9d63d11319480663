export const options = { blacklistIPs: [1, 'a'] };
export default function () {}
