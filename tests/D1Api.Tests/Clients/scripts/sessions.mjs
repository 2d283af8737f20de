// Sessions over HTTP: the bookmark of a write, sent to another region's node, makes that node's own replica answer with the write in it.
import assert from 'node:assert/strict';
import { account, base, token } from './target.mjs';

const far = process.env.D1_FAR;
const call = async (at, path, body, headers = {}, method = 'POST') => {
  const answer = await fetch(`${at}/accounts/${account}/d1/database${path}`, {
    method, body: body && JSON.stringify(body), headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
  });
  return { status: answer.status, bookmark: answer.headers.get('x-d1-bookmark'), cookie: answer.headers.get('set-cookie'), ...await answer.json() };
};

await call(base, '', { name: 'sessions' });
await call(base, '/sessions/query', { sql: 'CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)' });
let bookmark;
for (let i = 1; i <= 50; i++) {
  const written = await call(base, '/sessions/query', { sql: 'INSERT INTO t (v) VALUES (?)', params: [`v${i}`] });
  assert.match(written.bookmark, /^[0-9a-f]{8}-[0-9a-f]{16}-[0-9a-f]{16}$/);
  assert.equal(written.result[0].meta.bookmark, written.bookmark);
  assert.ok(bookmark === undefined || written.bookmark > bookmark);
  bookmark = written.bookmark;
  const read = await call(far, '/sessions/query', { sql: 'SELECT max(id) AS last FROM t' }, { 'x-d1-bookmark': bookmark });
  assert.equal(read.result[0].results[0].last, i);
  assert.equal(read.result[0].meta.served_by_primary, false, 'a session is read at the nearest copy');
  assert.ok(read.bookmark >= bookmark);
}

// By cookie it comes back as one. Without either, the primary answers, as D1's does.
const byCookie = await call(far, '/sessions/query', { sql: 'SELECT 1' }, { cookie: `x-d1-bookmark=${bookmark}` });
assert.match(byCookie.cookie, /^x-d1-bookmark=/);
assert.equal(byCookie.result[0].meta.served_by_primary, false);
assert.equal((await call(far, '/sessions/query', { sql: 'SELECT 1' })).result[0].meta.served_by_primary, true);
assert.equal((await call(far, '/sessions/query', { sql: 'SELECT 1' }, { 'x-d1-bookmark': 'first-primary' })).result[0].meta.served_by_primary, true);
assert.equal((await call(far, '/sessions/query', { sql: 'SELECT 1' }, { 'x-d1-bookmark': 'first-unconstrained' })).result[0].meta.served_by_primary, false);

const bad = await call(far, '/sessions/query', { sql: 'SELECT 1' }, { 'x-d1-bookmark': 'garbage' });
assert.deepEqual([bad.status, bad.success, bad.errors[0].detail.code], [400, false, 'BOOKMARK_MALFORMED']);
const failed = await call(base, '/sessions/query', { sql: 'INSERT INTO t (id) VALUES (1)' });
assert.equal(failed.status, 400);
assert.ok(failed.bookmark >= bookmark, 'errors are answers too');

// Integers beyond 2^53 come whole when asked for.
const big = await call(base, '/sessions/query?int64=string', { sql: 'SELECT 9007199254740993 AS n, 1.5 AS r' });
assert.deepEqual(big.result[0].results, [{ n: '9007199254740993', r: 1.5 }]);
assert.equal((await call(base, '/sessions', undefined, {}, 'DELETE')).success, true);
console.log('ok');
