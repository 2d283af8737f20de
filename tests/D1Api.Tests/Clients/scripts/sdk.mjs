// The cloudflare SDK: every D1 method.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
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

// import: init, upload, ingest; the file that is known is not asked for again; export and time travel.
const sql = "CREATE TABLE imported (v TEXT); INSERT INTO imported VALUES ('a;b'), ('c');";
const etag = createHash('md5').update(sql).digest('hex');
const asked = await d1.import(id, { ...on, action: 'init', etag });
const upload = body => fetch(asked.upload_url, { method: 'PUT', body });
assert.equal((await upload('something else')).status, 400);
const uploaded = await upload(sql);
assert.deepEqual([uploaded.status, uploaded.headers.get('etag')], [200, `"${etag}"`]);
assert.equal((await upload(sql)).status, 400, 'an address is good for one upload');
const polled = async answer => {
  while (answer.status === 'active') answer = await d1.import(id, { ...on, action: 'poll', current_bookmark: answer.at_bookmark });
  return answer;
};
const imported = await polled(await d1.import(id, { ...on, action: 'ingest', etag, filename: asked.filename }));
assert.equal(imported.status, 'complete');
assert.equal(imported.result.num_queries, 2);
assert.equal(imported.result.meta.changes, 2);
assert.match(imported.result.final_bookmark, /^[0-9a-f]{8}-/);
assert.deepEqual(await d1.import(id, { ...on, action: 'poll', current_bookmark: imported.at_bookmark }), imported, 'an answer may be asked for again');
const again = await d1.import(id, { ...on, action: 'init', etag });
assert.ok(!('upload_url' in again), 'the file is known');
const failed = await polled(again);
assert.deepEqual([failed.status, failed.error, failed.detail.code], ['error', 'table imported already exists at offset 13: SQLITE_ERROR', 'SQLITE_ERROR']);

let exported = await d1.export(id, { ...on, output_format: 'polling', dump_options: { no_schema: true, tables: ['imported'] } });
while (exported.status === 'active') exported = await d1.export(id, { ...on, output_format: 'polling', current_bookmark: exported.at_bookmark });
assert.equal(exported.status, 'complete');
assert.equal(await (await fetch(exported.result.signed_url)).text(), 'PRAGMA defer_foreign_keys=TRUE;\nINSERT INTO "imported" ("v") VALUES(\'a;b\');\nINSERT INTO "imported" ("v") VALUES(\'c\');\n');
assert.equal((await fetch(exported.result.signed_url.replace(/signature=./, 'signature=g'))).status, 403);
assert.equal((await fetch(exported.result.signed_url.replace(/expires=\d+/, 'expires=99999999999'))).status, 403);
const { bookmark } = await d1.timeTravel.getBookmark(id, on);
await d1.query(id, { ...on, sql: 'DROP TABLE imported' });
const { previous_bookmark } = await d1.timeTravel.restore(id, { ...on, bookmark });
assert.equal((await d1.query(id, { ...on, sql: 'SELECT count(*) AS n FROM imported' })).result[0].results[0].n, 2);
assert.ok(previous_bookmark > bookmark);
await assert.rejects(d1.timeTravel.restore(id, { ...on, bookmark: 'garbage' }), error => error.status === 400 && error.errors[0].detail.code === 'BOOKMARK_MALFORMED');
await assert.rejects(d1.timeTravel.restore(id, on), error => error.status === 400);

assert.equal(await d1.delete(id, on), null);
await assert.rejects(d1.get(id, on), Cloudflare.NotFoundError);
console.log('ok');
