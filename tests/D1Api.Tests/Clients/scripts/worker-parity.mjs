// The same Worker code in miniflare's local D1 and against a node: what it sees is the same, but for what docs/d1-compatibility.md says.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Miniflare } from 'miniflare';
import { Database } from './binding.mjs';
import { account, base, token } from './target.mjs';
import { exercise } from './worker.mjs';

const code = await readFile(join(import.meta.dirname, 'worker.mjs'), 'utf8');
const cloud = new Miniflare({
  modules: true, compatibilityDate: '2026-01-01', d1Databases: { DB: 'parity' },
  script: `${code}\nexport default { async fetch(request, env) { return Response.json(await exercise(env.DB)); } };`,
});
try {
  const theirs = await (await cloud.dispatchFetch('http://localhost/')).json();
  const url = `${base}/accounts/${account}/d1/database`;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  await fetch(url, { method: 'POST', body: JSON.stringify({ name: 'parity' }), headers });
  const ours = JSON.parse(JSON.stringify(await exercise(new Database(`${url}/parity`, token))));
  assert.deepEqual(Object.keys(ours), Object.keys(theirs));
  for (const name of Object.keys(theirs)) assert.deepEqual(ours[name], theirs[name], name);
  console.log('ok');
} finally {
  await cloud.dispose();
}
