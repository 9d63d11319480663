export const options = { blacklistIPs: ['10.0.0.0/8', 1] };
export default function () {}
