// rate-limiter-flexible on Redis: steps of two rules, by user and by address, as many under way as the question says.
// Each line of stdin is a question {"form", "socket", "callers", "steps", "users", "addresses"}, each of stdout the answer {"rate", "version"}.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Redis from 'ioredis';
import { RateLimiterRedis, RateLimiterUnion } from 'rate-limiter-flexible';

const here = dirname(fileURLToPath(import.meta.url));
const versionOf = (name) => JSON.parse(readFileSync(join(here, 'node_modules', name, 'package.json'), 'utf8')).version;
const opened = new Map();

// Its natural forms for two rules: a union, which has one key for both, and two limiters that are asked at once.
function open({ form, socket }) {
  const name = `${form} ${socket}`;
  if (opened.has(name)) return opened.get(name);
  const storeClient = new Redis(socket, { enableAutoPipelining: form.endsWith('pipelined') });
  const limiter = (keyPrefix) => new RateLimiterRedis({ storeClient, keyPrefix, points: 1_000_000_000, duration: 3600 });
  const user = limiter('user'), address = limiter('address'), union = new RateLimiterUnion(user, address);
  const ways = {
    union: (q, i) => union.consume(`u${i % q.users}`),
    two: (q, i) => Promise.all([user.consume(`u${i % q.users}`), address.consume(`a${i % q.addresses}`)]),
    set: (q, i) => storeClient.set(`k${i % q.users}`, '1700000000000000'),
  };
  opened.set(name, ways[form.split(' ')[0]]);
  return opened.get(name);
}

async function answer(q) {
  const step = open(q);
  let next = 0;
  const caller = async () => { while (next < q.steps) await step(q, next++); };
  await step(q, 0);
  const start = performance.now();
  await Promise.all(Array.from({ length: q.callers }, caller));
  const rate = q.steps / ((performance.now() - start) / 1000);
  return { rate, version: `${versionOf('rate-limiter-flexible')} on ioredis ${versionOf('ioredis')}` };
}

for await (const line of createInterface({ input: process.stdin })) {
  const said = await answer(JSON.parse(line)).catch((error) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
process.exit(0); // the connections would keep it
