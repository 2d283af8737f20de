// D1's binding over this API: what a Worker's env.DB is, in a few lines.
const error = (prefix, message) => new Error(`${prefix}: ${message}`);

function checked(value) {
  if (value === null || ['number', 'string', 'boolean'].includes(typeof value)) return value;
  if (value instanceof ArrayBuffer) return [...new Uint8Array(value)];
  if (ArrayBuffer.isView(value)) return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
  if (Array.isArray(value)) return value;
  throw error('D1_TYPE_ERROR', `Type '${typeof value}' not supported for value '${value}'`);
}

class Statement {
  constructor(db, sql, params = []) {
    Object.assign(this, { db, sql, params });
  }

  bind(...values) {
    return new Statement(this.db, this.sql, values.map(checked));
  }

  async all() {
    return (await this.db.send('query', this))[0];
  }

  run() {
    return this.all();
  }

  async raw({ columnNames } = {}) {
    const { columns, rows } = (await this.db.send('raw', this))[0].results;
    return columnNames ? [columns, ...rows] : rows;
  }

  async first(column) {
    const [row] = (await this.all()).results;
    if (row === undefined) return null;
    if (column === undefined) return row;
    if (row[column] === undefined) throw error('D1_COLUMN_NOTFOUND', `Column not found (${column})`);
    return row[column];
  }
}

export class Database {
  constructor(url, token, bookmark) {
    Object.assign(this, { url, token, bookmark });
  }

  prepare(sql) {
    return new Statement(this, sql);
  }

  batch(statements) {
    return this.send('query', { batch: statements });
  }

  async exec(sql) {
    const lines = sql.split('\n').filter(line => line.trim());
    try {
      await this.batch(lines.map(line => this.prepare(line)));
      return { count: lines.length };
    } catch (failed) {
      throw error('D1_EXEC_ERROR', `Error in line ${(failed.detail?.statement_index ?? 0) + 1}: ${lines[failed.detail?.statement_index ?? 0]}: ${failed.cause}`);
    }
  }

  withSession(start = 'first-unconstrained') {
    return new Database(this.url, this.token, start);
  }

  getBookmark() {
    return this.bookmark?.startsWith('first-') ? null : this.bookmark;
  }

  async send(kind, { sql, params, batch }) {
    const body = batch ? { batch: batch.map(one => ({ sql: one.sql, params: one.params })) } : { sql, params };
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/json', ...this.bookmark && { 'x-d1-bookmark': this.bookmark } };
    const answer = await fetch(`${this.url}/${kind}`, { method: 'POST', body: JSON.stringify(body), headers });
    if (this.bookmark) this.bookmark = answer.headers.get('x-d1-bookmark') ?? this.bookmark;
    const { success, errors, result } = await answer.json();
    if (!success) throw Object.assign(error('D1_ERROR', errors[0].message), { cause: errors[0].message, detail: errors[0].detail });
    return result;
  }
}
