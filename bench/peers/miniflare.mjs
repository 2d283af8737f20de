// node miniflare.mjs MINIFLARE FOLDER PORT: a worker with a D1 database, called by the benchmarks.
import { pathToFileURL } from 'node:url';

const [program, folder, port] = process.argv.slice(2);
const module = await import(pathToFileURL(program));
const { Miniflare } = module.default ?? module;

const worker = `
export default {
  async fetch(request, env) {
    const path = new URL(request.url).pathname;
    const asked = await request.json();
    if (path === '/insert') {
      const insert = env.DB.prepare('INSERT INTO t (v) VALUES (?)').bind(asked.v);
      if (asked.rows > 1) {
        await env.DB.batch(Array(asked.rows).fill(insert));
        return Response.json({});
      }
      return Response.json({ id: (await insert.run()).meta.last_row_id });
    }
    if (path === '/read') return Response.json({ v: await env.DB.prepare('SELECT v FROM t WHERE id = ?').bind(asked.id).first('v') });
    if (path === '/count') {
      await env.DB.exec('CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v TEXT NOT NULL)');
      return Response.json({ rows: await env.DB.prepare('SELECT count(*) AS n FROM t').first('n') });
    }
    return new Response('unknown path', { status: 404 });
  },
};`;

const miniflare = new Miniflare({
  modules: true, script: worker, compatibilityDate: '2025-01-01', host: '127.0.0.1', port: Number(port), d1Databases: { DB: 'bench' }, d1Persist: folder,
});
await miniflare.ready;
console.log('ready');
