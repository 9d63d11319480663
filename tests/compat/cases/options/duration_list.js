export const options = { duration: ['a', 1] };
export default function () {}
