// What test.sh asks of a running server (Node's and Go's alike): a picture, its 304, and the SSE stream that told when it was ready.
'use strict';
const base = process.argv[2];

async function main() {
  const events = await fetch(`${base}/v1/events?topics=generations`);
  if (events.headers.get('content-type') !== 'text/event-stream') throw new Error('no event stream');
  const wish = { user: 'u1', provider: 'sketch', prompt: 'a lighthouse in fog', size: '128x128' };
  const made = await fetch(`${base}/v1/generations`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(wish) });
  if (made.status !== 202) throw new Error(`the submit answered ${made.status}`);
  const { id } = await made.json();
  let text = '';
  for await (const chunk of events.body) {
    text += Buffer.from(chunk).toString();
    if (text.includes('event: generation.completed') && text.includes(id)) break;
  }
  const record = await (await fetch(`${base}/v1/generations/${id}`)).json();
  const url = base + record.outputs[0].url;
  const picture = await fetch(url);
  const bytes = Buffer.from(await picture.arrayBuffer());
  if (picture.status !== 200 || bytes.length !== record.outputs[0].bytes || bytes.toString('latin1', 1, 4) !== 'PNG') throw new Error('the picture is not whole');
  const again = await fetch(url, { headers: { 'If-None-Match': picture.headers.get('etag') } });
  if (again.status !== 304) throw new Error(`the second fetch answered ${again.status}`);
  const small = await fetch(base + record.outputs[0].thumbnails['150']);
  if (small.status !== 200 || small.headers.get('content-type') !== 'image/jpeg') throw new Error('no thumbnail');
  await small.arrayBuffer();
  console.log('3 passed, 0 failed');
  process.exit(0);
}

main().catch((error) => { console.error(error); console.log('0 passed, 1 failed'); process.exit(1); });
