// drizzle-kit push with driver d1-http, whose address is fixed: a preload turns its requests. It makes the schema, changes it, and never wants to drop what is the server's.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { account, base, token } from './target.mjs';

const modules = join(import.meta.dirname, 'node_modules');
const folder = await mkdtemp(join(tmpdir(), 'drizzle-kit-'));
const post = async (path, body) => (await (await fetch(`${base}/accounts/${account}/d1/database${path}`, {
  method: 'POST', body: JSON.stringify(body), headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
})).json()).result;
const { uuid } = await post('', { name: 'kit' });
const names = async () => (await post(`/${uuid}/query`, { sql: "SELECT name FROM sqlite_schema WHERE type IN ('table', 'index') AND name NOT LIKE 'sqlite_%' ORDER BY name" }))[0].results.map(row => row.name);
const server = await names();

await symlink(modules, join(folder, 'node_modules'));
await writeFile(join(folder, 'redirect.cjs'), `
const [http, https] = [require('node:http'), require('node:https')];
const target = new URL(process.env.D1_BASE);
https.request = (url, options, then) => {
  const asked = typeof url === 'string' || url instanceof URL ? { ...options, ...new URL(url), path: new URL(url).pathname + new URL(url).search } : url;
  return http.request({ method: asked.method, headers: { ...asked.headers, host: target.host }, path: asked.path, hostname: target.hostname, port: target.port }, typeof options === 'function' ? options : then);
};
`);
await writeFile(join(folder, 'drizzle.config.js'), `export default {
  dialect: 'sqlite', driver: 'd1-http', schema: './schema.js', strict: false, verbose: true,
  dbCredentials: { accountId: '${account}', databaseId: '${uuid}', token: '${token}' },
};`);
await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
const schema = (...columns) => writeFile(join(folder, 'schema.js'), `
import { integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
export const users = sqliteTable('users', { id: integer().primaryKey({ autoIncrement: true }), ${columns.join(', ')} }, table => [uniqueIndex('users_name').on(table.name)]);
export const posts = sqliteTable('posts', { id: integer().primaryKey(), author: integer().references(() => users.id), title: text() });
`);
const push = () => new Promise((resolve, reject) => {
  const kit = spawn(process.execPath, ['--require', join(folder, 'redirect.cjs'), join(modules, 'drizzle-kit/bin.cjs'), 'push'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, CI: 'true', HOME: folder } });
  let output = '';
  kit.stdout.on('data', data => { output += data; });
  kit.stderr.on('data', data => { output += data; });
  kit.on('close', code => (code === 0 ? resolve(output) : reject(new Error(`drizzle-kit ended with ${code}: ${output}`))));
});

try {
  await schema('name: text().notNull()');
  assert.doesNotMatch(await push(), /DROP TABLE|DELETE FROM|_rs_/i);
  assert.deepEqual(await names(), [...server, 'posts', 'users', 'users_name'].sort());
  await post(`/${uuid}/query`, { sql: "INSERT INTO users (name) VALUES ('ann'); INSERT INTO posts (author, title) VALUES (1, 'hello')" });
  await schema('name: text().notNull()', 'age: integer()');
  assert.doesNotMatch(await push(), /DROP TABLE|DELETE FROM|_rs_/i);
  assert.deepEqual((await post(`/${uuid}/query`, { sql: 'SELECT name, age FROM users' }))[0].results, [{ name: 'ann', age: null }]);
  assert.match(await push(), /No changes detected/);
  assert.deepEqual(await names(), [...server, 'posts', 'users', 'users_name'].sort());
  console.log('ok');
} finally {
  await rm(folder, { recursive: true, force: true });
}
