// drizzle-orm over HTTP (by its proxy driver, as its users do) and Prisma's adapter, whose addresses are fixed: their requests are turned to the tests' node.
import assert from 'node:assert/strict';
import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/sqlite-proxy';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { account, base, token } from './target.mjs';

const cloud = 'https://api.cloudflare.com/client/v4';
const plainFetch = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const request = input instanceof Request ? input : new Request(input, init);
  return request.url.startsWith(cloud) ? plainFetch(new Request(base + request.url.slice(cloud.length), request)) : plainFetch(request);
};
const post = async (path, body) => {
  const answer = await plainFetch(`${base}/accounts/${account}/d1/database${path}`, {
    method: 'POST', body: JSON.stringify(body), headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  });
  const { success, errors, result } = await answer.json();
  if (!success) throw new Error(errors[0].message);
  return result;
};

const { uuid } = await post('', { name: 'orms' });
await post(`/${uuid}/query`, { sql: 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE); CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER REFERENCES users, title TEXT)' });

const users = sqliteTable('users', { id: integer().primaryKey(), name: text().notNull() });
const posts = sqliteTable('posts', { id: integer().primaryKey(), author: integer().references(() => users.id), title: text() });
const db = drizzle(async (sql, params, method) => {
  const [{ results }] = await post(`/${uuid}/raw`, { sql, params });
  return { rows: method === 'get' ? results.rows[0] : results.rows };
});
assert.deepEqual(await db.insert(users).values([{ name: 'ann' }, { name: 'bob' }]).returning(), [{ id: 1, name: 'ann' }, { id: 2, name: 'bob' }]);
await db.insert(posts).values({ author: 1, title: 'hello' });
assert.deepEqual(await db.select({ name: users.name, title: posts.title }).from(posts).innerJoin(users, eq(users.id, posts.author)), [{ name: 'ann', title: 'hello' }]);
await assert.rejects(db.insert(users).values({ name: 'ann' }), error => /UNIQUE constraint failed: users.name/.test(error.message + error.cause?.message));
await assert.rejects(db.transaction(async () => {}), 'a transaction that would be none is refused');

const { PrismaD1 } = await import('@prisma/adapter-d1');
const prisma = await new PrismaD1({ CLOUDFLARE_D1_TOKEN: token, CLOUDFLARE_ACCOUNT_ID: account, CLOUDFLARE_DATABASE_ID: uuid }).connect();
const bytes = new Uint8Array([0, 255, 16]);
await prisma.executeScript('CREATE TABLE files (id INTEGER PRIMARY KEY, data BLOB); CREATE INDEX files_data ON files (data)');
assert.equal(await prisma.executeRaw({ sql: 'INSERT INTO `main`.`files` (data) VALUES (?)', args: [bytes], argTypes: [{ scalarType: 'bytes', arity: 'scalar' }] }), 1);
const read = await prisma.queryRaw({ sql: 'SELECT `main`.`files`.`id`, `main`.`files`.`data` FROM `main`.`files` LIMIT ? OFFSET ?', args: [-1, 0], argTypes: [{ scalarType: 'int', arity: 'scalar' }, { scalarType: 'int', arity: 'scalar' }] });
assert.deepEqual(read.columnNames, ['id', 'data']);
assert.equal(read.rows.length, 1);
assert.deepEqual([...read.rows[0][1]], [0, 255, 16]);
console.log('ok');
