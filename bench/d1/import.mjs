// Imports a file as wrangler does, and says how long it took: node import.mjs BASE DATABASE FILE
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

const [base, database, path] = process.argv.slice(2);
const file = await readFile(path);
const etag = createHash('md5').update(file).digest('hex');
const post = async body => (await (await fetch(`${base}/accounts/bench/d1/database/${database}/import`, {
  method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' },
})).json()).result;
const started = performance.now();
let answer = await post({ action: 'init', etag });
if (answer.upload_url) {
  const uploaded = await fetch(answer.upload_url, { method: 'PUT', body: file });
  if (uploaded.status !== 200) throw new Error(await uploaded.text());
}

const sent = performance.now();
if (answer.upload_url) answer = await post({ action: 'ingest', etag, filename: answer.filename });
while (answer.status === 'active') answer = await post({ action: 'poll', current_bookmark: answer.at_bookmark });
if (answer.status !== 'complete') throw new Error(JSON.stringify(answer));
const seconds = (performance.now() - started) / 1000;
console.log(`RESULT ${seconds.toFixed(3)} ${((sent - started) / 1000).toFixed(3)} ${answer.result.num_queries}`);
