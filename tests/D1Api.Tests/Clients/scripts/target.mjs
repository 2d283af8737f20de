// Where the tests' node listens, and what it takes for a token.
export const base = process.env.D1_BASE;
export const token = process.env.D1_TOKEN;
export const account = 'test-account';
