// The pictures' work by sharp, and base64 by Node's Buffer. Reads questions, a line of JSON each, and answers each with a line:
//   {"work": "thumbs" | "resize" | "webp" | "encode64" | "decode64", "form", "file", "flight", "times", "out"?, …the work's own settings}
// does the work `times` times, `flight` of them under way, and says {"ms": elapsed / times, "cpuMs": of all threads, "version"}. With "out" the results are written there, too.
// A picture is read once and handed over as bytes. No cache, and one thread an operation: "flight" is what runs at once.
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import sharp from 'sharp';

sharp.cache(false);
sharp.concurrency(1);

const SIZES = [600, 300, 150];
const files = new Map();
const bytesOf = (file) => {
  if (!files.has(file)) files.set(file, readFileSync(file));
  return files.get(file);
};
const jpeg = (q) => ({ quality: q.quality, chromaSubsampling: '4:2:0', optimiseCoding: q.optimise, mozjpeg: false });
const cover = (side) => ({ width: side, height: side, fit: 'cover' });
const rawOf = async (pipeline) => {
  const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
  return sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } });
};

// How the three thumbnails may be made: each from the file; clones of one pipeline; one decode to pixels, then three resizes of those; and each from the next larger.
const thumbs = {
  separate: (bytes, q) => Promise.all(SIZES.map((side) => sharp(bytes).resize(cover(side)).jpeg(jpeg(q)).toBuffer())),
  clones: (bytes, q) => {
    const picture = sharp(bytes);
    return Promise.all(SIZES.map((side) => picture.clone().resize(cover(side)).jpeg(jpeg(q)).toBuffer()));
  },
  pixels: async (bytes, q) => {
    const picture = await rawOf(sharp(bytes));
    return Promise.all(SIZES.map((side) => picture.clone().resize(cover(side)).jpeg(jpeg(q)).toBuffer()));
  },
  pyramid: async (bytes, q) => {
    const made = [];
    let picture = sharp(bytes);
    for (const side of SIZES) {
      picture = await rawOf(picture.resize(cover(side)));
      made.push(picture.clone().jpeg(jpeg(q)).toBuffer());
    }
    return Promise.all(made);
  },
};

const works = {
  thumbs: (q) => thumbs[q.form](bytesOf(q.file), q),
  resize: async (q) => [await sharp(bytesOf(q.file)).resize({ width: q.width }).jpeg(jpeg(q)).toBuffer()],
  webp: async (q) => [await sharp(bytesOf(q.file)).webp({ quality: q.quality, effort: q.method }).toBuffer()],
  encode64: (q) => [bytesOf(q.file).toString('base64')],
  decode64: (q) => {
    if (!files.has(`64 ${q.file}`)) files.set(`64 ${q.file}`, bytesOf(q.file).toString('base64'));
    return [Buffer.from(files.get(`64 ${q.file}`), 'base64')];
  },
};

async function answer(q) {
  const work = works[q.work];
  let left = q.times;
  const loop = async () => { while (left-- > 0) await work(q); };
  await work(q);
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  await Promise.all(Array.from({ length: q.flight }, loop));
  const ms = Number(process.hrtime.bigint() - start) / 1e6 / q.times;
  const { user, system } = process.cpuUsage(cpu);
  if (q.out) (await work(q)).forEach((bytes, i) => writeFileSync(`${q.out}.${i}`, bytes));
  const cpuMs = (user + system) / 1e3 / q.times;
  const version = q.work.endsWith('64') ? process.versions.node : q.work === 'webp' ? `${sharp.versions.sharp} (libwebp ${sharp.versions.webp})` : sharp.versions.sharp;
  return { ms, cpuMs, version };
}

for await (const line of createInterface({ input: process.stdin })) {
  const said = await answer(JSON.parse(line)).catch((error) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
