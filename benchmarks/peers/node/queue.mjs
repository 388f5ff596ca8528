// A queue's work, by one peer: `jobs` jobs of 200 bytes are enqueued in bulk, then worked off; every one must come exactly once.
//   node queue.mjs bullmq-always|bullmq-everysec|bullmq-postgres|plainjob JOBS FOLDER
// Prints {"enqueue": jobs/s, "process": jobs/s, "cycle": jobs/s, "version": "…"} or ends with an error.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres, startRedis } from './servers.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const [peer, count, folder] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
let over = false;
const CHUNK = 100, IN_FLIGHT = 8, WORKERS = 32;

const versionOf = (name) => JSON.parse(readFileSync(join(here, 'node_modules', name, 'package.json'), 'utf8')).version;
const payload = (n) => ({ n, text: 'x'.repeat(200 - `{"n":${n},"text":""}`.length) });

class Delivery {
  constructor() { this.seen = new Uint8Array(count); this.left = count; this.all = new Promise((resolve) => { this.resolve = resolve; }); }
  take(n) {
    if (this.seen[n]) { console.error(`job ${n} came twice`); process.exit(1); }
    this.seen[n] = 1;
    if (--this.left === 0) this.resolve();
  }
}

function rates(start, enqueued, end, version) {
  const per = (ms) => count / (ms / 1000);
  console.log(JSON.stringify({ enqueue: per(enqueued - start), process: per(end - enqueued), cycle: per(end - start), version }));
}

async function bullmq(options, version) {
  const { Queue, Worker } = options.classes;
  const queue = new Queue('bench', options.own);
  await queue.waitUntilReady();
  const start = performance.now();
  let next = 0;
  const feed = async () => {
    while (next < count) {
      const from = next;
      next += CHUNK;
      await queue.addBulk(Array.from({ length: Math.min(CHUNK, count - from) }, (_, i) => ({ name: 'work', data: payload(from + i) })));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, feed));
  const enqueued = performance.now();
  const delivery = new Delivery();
  let finished = 0;
  const done = new Promise((resolve) => { delivery.finished = () => { if (++finished === count) resolve(); }; });
  const worker = new Worker('bench', async (job) => { delivery.take(job.data.n); }, { ...options.own, concurrency: WORKERS });
  worker.on('completed', delivery.finished);
  worker.on('error', (error) => { if (over) return; console.error(error); process.exit(1); });
  queue.on('error', (error) => { if (!over) console.error(error); });
  await done;
  rates(start, enqueued, performance.now(), version);
  over = true; // what the server says while it stops is no failure
  await worker.close();
  await queue.close();
}

async function plainjob() {
  const Database = require('better-sqlite3');
  const { better, defineQueue, defineWorker } = await import('plainjob');
  const quiet = { error: console.error, warn() {}, info() {}, debug() {} };
  const connection = better(new Database(join(folder, 'plainjob.db')));
  const queue = defineQueue({ connection, logger: quiet });
  const start = performance.now();
  for (let from = 0; from < count; from += CHUNK) {
    queue.addMany('work', Array.from({ length: Math.min(CHUNK, count - from) }, (_, i) => payload(from + i)));
  }
  const enqueued = performance.now();
  const delivery = new Delivery();
  let finished = 0, end;
  const done = new Promise((resolve) => { end = resolve; });
  const worker = defineWorker('work', (job) => delivery.take(JSON.parse(job.data).n), { queue, logger: quiet, onCompleted: () => { if (++finished === count) end(); } });
  const running = worker.start();
  await done;
  rates(start, enqueued, performance.now(), versionOf('plainjob'));
  await worker.stop();
  await running;
  queue.close();
}

if (peer === 'plainjob') {
  await plainjob();
} else if (peer === 'bullmq-postgres') {
  const server = await startPostgres(folder);
  const { createPostgresBackend, withBackend } = require('bullmq');
  const classes = withBackend(createPostgresBackend);
  await bullmq({ classes, own: { connection: { host: server.host, user: 'bench', database: 'postgres', max: 40, migrate: true } } }, `${versionOf('bullmq')}, PostgreSQL ${server.version}`);
  await server.stop();
} else {
  const server = await startRedis(folder, peer.replace('bullmq-', ''));
  const { Queue, Worker } = require('bullmq');
  await bullmq({ classes: { Queue, Worker }, own: { connection: { path: server.path, maxRetriesPerRequest: null } } }, `${versionOf('bullmq')}, Redis ${server.version}`);
  await server.stop();
}
process.exit(0);
