// miniflare's local D1 on disk behind a Worker that runs the statement it is sent. Says "ready PORT".
import { Miniflare } from 'miniflare';

const miniflare = new Miniflare({
  modules: true, compatibilityDate: '2026-01-01', port: 0, host: '127.0.0.1', d1Databases: { DB: 'bench' }, d1Persist: process.argv[2],
  script: `export default {
    async fetch(request, env) {
      const { sql, params } = await request.json();
      return Response.json(await env.DB.prepare(sql).bind(...(params ?? [])).all());
    },
  };`,
});
const url = await miniflare.ready;
console.log(`ready ${url.port}`);
