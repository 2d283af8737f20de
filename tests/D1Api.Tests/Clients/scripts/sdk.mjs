// The cloudflare SDK: every D1 method.
import assert from 'node:assert/strict';
import Cloudflare from 'cloudflare';
import { account, base, token } from './target.mjs';

const client = new Cloudflare({ baseURL: base, apiToken: token, maxRetries: 0 });
const d1 = client.d1.database;
const on = { account_id: account };

const created = await d1.create({ ...on, name: 'sdk-shop', primary_location_hint: 'weur' });
assert.match(created.uuid, /^[0-9a-f-]{36}$/);
assert.equal(created.name, 'sdk-shop');
assert.equal(created.running_in_region, 'WEUR');
assert.equal(created.read_replication.mode, 'auto');
const id = created.uuid;
await assert.rejects(d1.create({ ...on, name: 'sdk-shop' }), error => error instanceof Cloudflare.BadRequestError && error.errors[0].code === 7502);

// query: rows as objects, one result a statement, also for several in one string and for a batch.
const [table] = (await d1.query(id, { ...on, sql: 'CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, b BLOB, r REAL) STRICT' })).result;
assert.equal(table.success, true);
assert.equal(table.meta.changed_db, true);
const [inserted] = (await d1.query(id, { ...on, sql: 'INSERT INTO t (v, b, r) VALUES (?, ?, ?)', params: ['x', [0, 255, 16], 1.5] })).result;
assert.equal(inserted.meta.changes, 1);
assert.equal(inserted.meta.last_row_id, 1);
assert.equal(inserted.meta.served_by_primary, true);
assert.equal(inserted.meta.rows_written, 1);
const page = await d1.query(id, { ...on, sql: 'SELECT * FROM t; SELECT count(*) AS n FROM t' });
assert.deepEqual(page.result.map(one => one.results), [[{ id: 1, v: 'x', b: [0, 255, 16], r: 1.5 }], [{ n: 1 }]]);
const batch = await d1.query(id, { ...on, batch: [{ sql: 'INSERT INTO t (v) VALUES (?)', params: ['y'] }, { sql: 'SELECT v FROM t WHERE id = ?', params: [2] }] });
assert.deepEqual(batch.result[1].results, [{ v: 'y' }]);

// raw: columns keep their names, also twice the same and without rows.
const raw = await d1.raw(id, { ...on, sql: 'SELECT 1 AS a, 2 AS a' });
assert.deepEqual(raw.result[0].results, { columns: ['a', 'a'], rows: [[1, 2]] });
assert.deepEqual((await d1.raw(id, { ...on, sql: 'SELECT id, v FROM t WHERE 0' })).result[0].results, { columns: ['id', 'v'], rows: [] });

// A failing statement undoes those before it, and says what SQLite said.
await assert.rejects(
  d1.query(id, { ...on, sql: "INSERT INTO t (v) VALUES ('gone'); INSERT INTO t (id) VALUES (1)" }),
  error => error.status === 400 && error.errors[0].code === 7500
    && error.errors[0].message === 'UNIQUE constraint failed: t.id: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)'
    && error.errors[0].detail.commit_state === 'NOT_COMMITTED' && error.errors[0].detail.statement_index === 1);
assert.deepEqual((await d1.query(id, { ...on, sql: "SELECT count(*) AS n FROM t WHERE v = 'gone'" })).result[0].results, [{ n: 0 }]);
await assert.rejects(d1.query(id, { ...on, sql: 'SELECT * FROM nope' }), error => error.errors[0].message === 'no such table: nope: SQLITE_ERROR');

// get, by id and by name; fields.
assert.equal((await d1.get(id, on)).num_tables, 1);
assert.deepEqual(await d1.get('sdk-shop', { ...on, fields: ['uuid', 'name'] }), { uuid: id, name: 'sdk-shop' });
await assert.rejects(d1.get('00000000-0000-4000-8000-000000000000', on), error => error instanceof Cloudflare.NotFoundError && error.errors[0].code === 7404);

// list: pages end with an empty one.
const names = [];
for await (const database of d1.list({ ...on, per_page: 1 })) names.push(database.name);
assert.ok(names.includes('sdk-shop'));
assert.deepEqual((await d1.list({ ...on, name: 'sdk' })).result.map(database => database.name), ['sdk-shop']);

// update and edit.
assert.equal((await d1.update(id, { ...on, read_replication: { mode: 'disabled' } })).read_replication.mode, 'disabled');
assert.equal((await d1.edit(id, { ...on, read_replication: { mode: 'auto' } })).read_replication.mode, 'auto');

assert.equal(await d1.delete(id, on), null);
await assert.rejects(d1.get(id, on), Cloudflare.NotFoundError);
console.log('ok');
