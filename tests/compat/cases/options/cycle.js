// Options that contain themselves: exit code 255.
export const options = { tags: {} };
options.tags.options = options;

export default function () {}
