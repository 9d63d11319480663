// A module of TypeScript's own form for CommonJS.
const name: string = 'assigned';

export = { name };
