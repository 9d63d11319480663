// A name is exported twice: exit code 107.
export const options = { vus: 1 };
export const options = { vus: 2 };

export default function () {}
