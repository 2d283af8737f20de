// Code of a D1 Worker: everything that the documentation of D1's binding says of conversions, first, raw, batch, exec and errors, told as plain values.
export async function exercise(db) {
  const seen = {};
  const told = ({ success, results, meta }) => ({ success, results, changes: meta.changes, changed_db: meta.changed_db, rows_written: meta.rows_written });
  const note = async (name, work) => {
    try {
      seen[name] = await work();
    } catch (error) {
      seen[name] = `${error.name}: ${error.message}`;
    }
  };

  await note('create', async () => (await db.prepare('CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, r REAL, s TEXT, b BLOB, x)').run()).success);
  await note('insert', async () => {
    const { meta, ...rest } = await db.prepare('INSERT INTO t (n, r, s, b, x) VALUES (?, ?, ?, ?, ?)').bind(1, 1.5, 'é\u0000;\'', new Uint8Array([0, 255, 16]), null).run();
    return { ...told({ meta, ...rest }), last_row_id: meta.last_row_id };
  });
  const all = async (sql, ...values) => (await db.prepare(sql).bind(...values).all()).results;
  await note('row', () => all('SELECT * FROM t'));
  await note('booleans', () => all('SELECT ? AS t, ? AS f', true, false));
  await note('buffers', () => all('SELECT ? AS b, ? AS v, ? AS a, typeof(?) AS t', new Uint8Array([1, 2]).buffer, new Uint8Array([2, 3]).subarray(1), [4, 5], new Uint8Array([9])));
  await note('null', () => all('SELECT ? AS a, typeof(?) AS t', null, null));
  await note('nan and infinity', () => all('SELECT ? AS a, ? AS b', NaN, Infinity));
  await note('reals', () => all('SELECT ? AS a, ? AS b, ? AS c', 0.1, -1e300, 5e-324));
  await note('text', () => all('SELECT ? AS a, length(?) AS n, ? AS e', '日本語 🎉', '日本語', ''));
  await note('affinity', () => all('SELECT typeof(n) AS n, typeof(r) AS r, typeof(s) AS s, typeof(b) AS b FROM t'));
  await note('numbered', () => all('SELECT ?2 AS a, ?1 AS b, ?2 AS c', 'one', 'two'));
  await note('numbers from tables', () => all('SELECT 9007199254740991 AS big, -5 AS small, 1.0 AS real, 2 / 3 AS division'));
  for (const [name, value] of [['undefined', undefined], ['object', { a: 1 }], ['function', () => 1], ['bigint', 1n]]) {
    await note(`type of ${name}`, () => all('SELECT ?', value));
  }

  await note('first', () => db.prepare('SELECT id, s FROM t').first());
  await note('first of a column', () => db.prepare('SELECT id, n FROM t').first('n'));
  await note('first of none', () => db.prepare('SELECT id FROM t WHERE 0').first());
  await note('first of a column of none', () => db.prepare('SELECT id FROM t WHERE 0').first('id'));
  await note('first of no column', () => db.prepare('SELECT id FROM t').first('zzz'));
  await note('raw', () => db.prepare('SELECT 1 AS a, 2 AS a, NULL AS c').raw());
  await note('raw with names', () => db.prepare('SELECT 1 AS a, 2 AS a').raw({ columnNames: true }));
  await note('raw of none with names', () => db.prepare('SELECT id, n FROM t WHERE 0').raw({ columnNames: true }));
  await note('same names', () => all('SELECT 1 AS a, 2 AS a'));
  await note('returning', async () => told(await db.prepare("INSERT INTO t (s) VALUES ('two'), ('three') RETURNING id, s").run()));
  await note('update', async () => told(await db.prepare('UPDATE t SET n = 7 WHERE id > ?').bind(1).run()));
  await note('update of none', async () => told(await db.prepare('UPDATE t SET n = 7 WHERE id = ?').bind(99).run()));
  await note('create of what is there', async () => told(await db.prepare('CREATE TABLE IF NOT EXISTS t (id)').run()));

  await note('batch', async () => (await db.batch([
    db.prepare("INSERT INTO t (s) VALUES ('batched')"), db.prepare('SELECT count(*) AS n FROM t'), db.prepare('SELECT s FROM t WHERE s = ?').bind('batched'), db.prepare('DELETE FROM t WHERE s = ?').bind('batched'),
  ])).map(told));
  await note('batch that fails', () => db.batch([db.prepare("INSERT INTO t (s) VALUES ('gone')"), db.prepare('INSERT INTO t (id) VALUES (1)')]));
  await note('after a batch that fails', () => all("SELECT count(*) AS n FROM t WHERE s = 'gone'"));
  await note('deferred keys', () => db.batch([
    db.prepare('PRAGMA defer_foreign_keys = on'), db.prepare('CREATE TABLE child (p REFERENCES t)'), db.prepare('INSERT INTO child VALUES (500)'), db.prepare('INSERT INTO t (id) VALUES (500)'), db.prepare('DELETE FROM child'), db.prepare('DELETE FROM t WHERE id = 500'),
  ]).then(results => results.length));
  await note('deferred keys that fail', () => db.batch([db.prepare('PRAGMA defer_foreign_keys = on'), db.prepare('INSERT INTO child VALUES (501)')]).catch(error => /FOREIGN KEY constraint failed: SQLITE_CONSTRAINT \(extended: SQLITE_CONSTRAINT_FOREIGNKEY\)$/.test(error.message)));

  await note('exec', async () => (await db.exec("CREATE TABLE e (v);\nINSERT INTO e VALUES ('a');\nINSERT INTO e VALUES ('b');")).count);
  await note('exec that fails', () => db.exec("INSERT INTO e VALUES ('gone');\nINSERT INTO nope VALUES (1);").catch(error => { throw new Error(error.message.split(':')[0]); }));
  await note('after exec', () => all('SELECT v FROM e'));
  await note('trigger', async () => {
    await db.prepare("CREATE TRIGGER tr AFTER INSERT ON e BEGIN UPDATE t SET x = CASE WHEN new.v = ';' THEN 'END;' ELSE 'it''s' END WHERE id = 1; END;").run();
    const { meta } = await db.prepare('INSERT INTO e VALUES (?)').bind(';').run();
    return [meta.changes, await db.prepare('SELECT x FROM t WHERE id = 1').first('x')];
  });

  for (const sql of [
    'SELECT * FROM nope', 'SELEC 1', 'SELECT nope FROM t', 'SELECT (', '', ' ', '-- a comment', 'INSERT INTO t (id) VALUES (1)', 'INSERT INTO child VALUES (77)', "INSERT INTO t (id) VALUES ('x')", 'CREATE TABLE t (x)',
    'CREATE TABLE c (x CHECK (x > 0)); ', 'INSERT INTO c VALUES (0)', 'CREATE TABLE k (x NOT NULL, y UNIQUE) STRICT', 'CREATE TABLE k (x TEXT NOT NULL, y INTEGER UNIQUE) STRICT', 'INSERT INTO k VALUES (NULL, 1)',
    "INSERT INTO k VALUES ('a', 'b')", "INSERT INTO k VALUES ('a', 1), ('b', 1)", "ATTACH ':memory:' AS x", 'SELECT ?', 'PRAGMA journal_mode', 'CREATE TEMP TABLE tt (x)', 'BEGIN', 'SAVEPOINT a',
    'SELECT * FROM _cf_KV', 'SELECT ?101', `SELECT '${'x'.repeat(60)}' LIKE '${'%x'.repeat(30)}'`, 'SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6', 'SELECT sqlite_version()',
  ]) {
    await note(`error of ${sql.slice(0, 60)}`, async () => (await db.prepare(sql).all()).success);
  }

  await note('too many parameters', () => all('SELECT ?', 1, 2));
  await note('too few parameters', () => all('SELECT ?, ?', 'a'));
  await note('empty batch', () => db.batch([]));
  for (const start of [undefined, 'first-primary', 'first-unconstrained']) {
    await note(`session ${start}`, async () => {
      const session = db.withSession(start);
      const before = session.getBookmark();
      const rows = (await session.prepare('SELECT count(*) AS n FROM e').all()).results;
      const first = session.getBookmark();
      await session.batch([session.prepare('SELECT 1')]);
      return [before, rows, typeof first, session.getBookmark() >= first];
    });
  }

  return seen;
}
