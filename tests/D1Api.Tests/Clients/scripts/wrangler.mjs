// wrangler d1, as a user runs it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { account, base, token } from './target.mjs';

const folder = await mkdtemp(join(tmpdir(), 'wrangler-'));
const program = join(import.meta.dirname, 'node_modules/.bin/wrangler');
const run = promisify(execFile);
const env = {
  ...process.env, CLOUDFLARE_API_BASE_URL: base, CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_ACCOUNT_ID: account, CI: 'true',
  WRANGLER_SEND_METRICS: 'false', WRANGLER_SEND_ERROR_REPORTS: 'false', WRANGLER_HIDE_BANNER: 'true', XDG_CONFIG_HOME: folder, WRANGLER_LOG_PATH: join(folder, 'logs'), HOME: folder,
};
const wrangler = async (...args) => (await run(program, ['d1', ...args], { cwd: folder, env })).stdout;
// What is only prepared or looked at goes by plain requests: each start of wrangler takes a second.
const post = async (path, body) => (await (await fetch(`${base}/accounts/${account}/d1/database${path}`, {
  method: 'POST', body: JSON.stringify(body), headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
})).json()).result;
const query = (database, sql) => post(`/${database}/query`, { sql });
const json = async (...args) => {
  const text = await wrangler(...args);
  return JSON.parse(text.slice(text.search(/[[{]/)));
};

try {
  assert.match(await wrangler('create', 'wr-shop', '--location', 'weur'), /wr-shop/);
  assert.ok((await json('list', '--json')).some(database => database.name === 'wr-shop'));
  assert.equal((await json('info', 'wr-shop', '--json')).name, 'wr-shop');

  await query('wr-shop', 'CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)');
  const [inserted, selected] = await json('execute', 'wr-shop', '--remote', '--json', '--command', "INSERT INTO t (v) VALUES ('a;b'); SELECT * FROM t");
  assert.equal(inserted.meta.changes, 1);
  assert.deepEqual(selected.results, [{ id: 1, v: 'a;b' }]);
  await assert.rejects(wrangler('execute', 'wr-shop', '--remote', '--json', '--command', 'SELECT * FROM nope'), error => /no such table: nope: SQLITE_ERROR/.test(error.stdout + error.stderr));

  // Migrations: triggers with CASE … END, CRLF, comments and semicolons in strings are taken apart right, and a file is applied whole or not at all.
  await writeFile(join(folder, 'wrangler.json'), JSON.stringify({ name: 'shop', compatibility_date: '2026-01-01', d1_databases: [{ binding: 'DB', database_name: 'wr-shop', database_id: (await json('info', 'wr-shop', '--json')).uuid }] }));
  await mkdir(join(folder, 'migrations'));
  await writeFile(join(folder, 'migrations/0001_log.sql'),
    '-- Migration number: 0001\r\nCREATE TABLE log (what TEXT);\r\nCREATE TRIGGER t_insert AFTER INSERT ON t BEGIN\r\n' +
    "  INSERT INTO log VALUES (CASE WHEN new.v = ';' THEN 'semi;colon' ELSE 'it''s' END); /* ; */\r\n  INSERT INTO log VALUES ('end');\r\nEND;\r\nINSERT INTO t (v) VALUES (';');\r\n");
  await wrangler('migrations', 'apply', 'wr-shop', '--remote');
  assert.deepEqual((await query('wr-shop', 'SELECT what FROM log'))[0].results, [{ what: 'semi;colon' }, { what: 'end' }]);
  await writeFile(join(folder, 'migrations/0002_broken.sql'), "CREATE TABLE half (x);\nINSERT INTO half VALUES (1);\nINSERT INTO nope VALUES (1);\n");
  await assert.rejects(wrangler('migrations', 'apply', 'wr-shop', '--remote'));
  assert.deepEqual((await query('wr-shop', "SELECT name FROM sqlite_master WHERE name = 'half'; SELECT name FROM d1_migrations"))
    .map(one => one.results), [[], [{ name: '0001_log.sql' }]]);

  // A table is made anew, as drizzle-kit and Prisma do it: with foreign keys switched off, its children stay; what refers to nothing is refused.
  await query('wr-shop', "CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE pet (id INTEGER PRIMARY KEY, owner REFERENCES owner ON DELETE CASCADE);" +
    "INSERT INTO owner VALUES (1, 'Ann'), (2, 'Ben'); INSERT INTO pet VALUES (1, 1), (2, 2), (3, 2)");
  await rm(join(folder, 'migrations/0002_broken.sql'));
  await writeFile(join(folder, 'migrations/0002_rebuild.sql'), "PRAGMA foreign_keys=OFF;--> statement-breakpoint\nCREATE TABLE `__new_owner` (id INTEGER PRIMARY KEY, name TEXT NOT NULL);--> statement-breakpoint\n" +
    "INSERT INTO `__new_owner` SELECT id, name FROM owner;--> statement-breakpoint\nDROP TABLE owner;--> statement-breakpoint\nALTER TABLE `__new_owner` RENAME TO owner;--> statement-breakpoint\nPRAGMA foreign_keys=ON;\n");
  await wrangler('migrations', 'apply', 'wr-shop', '--remote');
  assert.deepEqual((await query('wr-shop', 'SELECT id, owner FROM pet'))[0].results, [{ id: 1, owner: 1 }, { id: 2, owner: 2 }, { id: 3, owner: 2 }]);
  assert.equal(await query('wr-shop', 'PRAGMA foreign_keys=OFF; DELETE FROM owner'), null);
  assert.equal((await query('wr-shop', 'DELETE FROM owner WHERE id = 2; SELECT count(*) AS n FROM pet'))[1].results[0].n, 1);

  // Import: triggers, semicolons in strings, a comment at the end; a file that fails leaves nothing; the same file runs again.
  await writeFile(join(folder, 'seed.sql'), "PRAGMA defer_foreign_keys=TRUE;\nCREATE TABLE IF NOT EXISTS seeded (id INTEGER PRIMARY KEY, v TEXT);\nCREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(v);\n" +
    "CREATE TRIGGER IF NOT EXISTS seeded_insert AFTER INSERT ON seeded BEGIN INSERT INTO words VALUES (CASE WHEN new.v = ';' THEN 'semicolon' ELSE new.v END); END;\n" +
    "INSERT INTO seeded (v) VALUES ('a;b'), (';'), ('it''s');\n-- done");
  await wrangler('execute', 'wr-shop', '--remote', '-y', '--file', 'seed.sql');
  await wrangler('execute', 'wr-shop', '--remote', '-y', '--file', 'seed.sql');
  const count = async () => (await query('wr-shop', 'SELECT count(*) AS n FROM seeded'))[0].results[0].n;
  assert.equal(await count(), 6);
  await writeFile(join(folder, 'bad.sql'), "INSERT INTO seeded (v) VALUES ('gone');\nINSERT INTO nope VALUES (1);\n");
  await assert.rejects(wrangler('execute', 'wr-shop', '--remote', '-y', '--file', 'bad.sql'), error => /no such table: nope/.test(error.stdout + error.stderr));
  assert.equal(await count(), 6);

  // Export, full-text tables included; what it makes is made again by an import.
  await wrangler('export', 'wr-shop', '--remote', '-y', '--output', 'dump.sql');
  const dump = await readFile(join(folder, 'dump.sql'), 'utf8');
  assert.ok(dump.startsWith('PRAGMA defer_foreign_keys=TRUE;\n'));
  await post('', { name: 'wr-copy' });
  await wrangler('execute', 'wr-copy', '--remote', '-y', '--file', 'dump.sql');
  assert.deepEqual((await query('wr-copy', "SELECT count(*) AS n FROM words WHERE words MATCH 'semicolon'; SELECT count(*) AS n FROM seeded"))
    .map(one => one.results[0].n), [2, 6]);
  await wrangler('export', 'wr-shop', '--remote', '-y', '--output', 'part.sql', '--no-schema', '--table', 'seeded');
  assert.match(await readFile(join(folder, 'part.sql'), 'utf8'), /^PRAGMA defer_foreign_keys=TRUE;\n(INSERT INTO "seeded" .*;\n){6}$/);

  // Time travel, there and back.
  const before = (await json('time-travel', 'info', 'wr-shop', '--json')).bookmark;
  assert.match(before, /^[0-9a-f]{8}-[0-9a-f]{16}-[0-9a-f]{16}$/);
  const moment = new Date();
  await query('wr-shop', 'DELETE FROM seeded');
  const restored = await json('time-travel', 'restore', 'wr-shop', '--json', '--bookmark', before);
  assert.ok(restored.previous_bookmark > before);
  assert.equal(await count(), 6);
  await query('wr-shop', 'DROP TABLE seeded');
  await json('time-travel', 'restore', 'wr-shop', '--json', '--timestamp', moment.toISOString());
  assert.equal(await count(), 6);

  assert.match(await wrangler('insights', 'wr-shop'), /SELECT|\[/);
  assert.ok((await json('info', 'wr-shop', '--json')).write_queries_24h >= 1);
  await wrangler('delete', 'wr-shop', '-y');
  assert.ok(!(await json('list', '--json')).some(database => database.name === 'wr-shop'));
  console.log('ok');
} finally {
  await rm(folder, { recursive: true, force: true });
}
