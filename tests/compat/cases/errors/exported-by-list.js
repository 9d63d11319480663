// A name is exported by a declaration and by a list: exit code 107.
export const options = { vus: 1 };
const other = { vus: 2 };
export { other as options };

export default function () {}
