// A Node server over the addon: one inbox, one descriptor in Node's own loop, no thread. Serves mediagen's routes, pictures and the SSE stream included.
'use strict';
const http = require('node:http');
const net = require('node:net');
const mediagen = require(process.env.MEDIAGEN_ADDON);

const [DONE, HEAD, READABLE] = [1, 2, 3];
const waiting = new Map(); // tag → what to do with a notice
let lastTag = 0;

const fd = mediagen.open(process.env.MEDIAGEN_LIBRARY, process.argv[2] || '{}');
const pipe = new net.Socket({ fd, readable: true, writable: false });
pipe.on('data', drain);

function drain() {
  for (;;) {
    const [tag, kind] = mediagen.next();
    if (kind === 0) return;
    const notice = waiting.get(tag);
    if (notice) notice(kind);
  }
}

// The document that a request's submit ends with.
function submit(request) {
  return new Promise((resolve, reject) => {
    const tag = ++lastTag;
    const call = mediagen.submit(tag, JSON.stringify(request));
    const end = () => {
      waiting.delete(tag);
      try { resolve(JSON.parse(mediagen.result(call.handle))); } catch (error) { reject(error); }
    };
    if (call.done) end(); else waiting.set(tag, end);
  });
}

function serve(request, response) {
  const tag = ++lastTag;
  let headers = '';
  for (let i = 0; i < request.rawHeaders.length; i += 2) headers += `${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}\r\n`;
  const call = mediagen.handle(tag, request.method, request.url, headers);
  let headSent = false;
  const pump = () => {
    if (!headSent) {
      const [status, block] = mediagen.head(call.handle);
      for (const line of block.split('\r\n')) {
        const colon = line.indexOf(': ');
        if (colon > 0) response.setHeader(line.slice(0, colon), line.slice(colon + 2));
      }
      response.writeHead(status);
      headSent = true;
    }
    for (;;) {
      const [kind, bytes] = mediagen.body(call.handle);
      if (kind < 0) return; // READABLE follows
      if (bytes) response.write(bytes);
      if (kind !== 3) break; // 3: a stream's piece; anything else was the whole body
    }
    waiting.delete(tag);
    response.end();
  };
  response.on('close', () => waiting.delete(tag)); // the call goes with its handle
  waiting.set(tag, (kind) => { if (kind === HEAD || kind === READABLE || (kind === DONE && !headSent)) pump(); });
  if (call.done) pump();
}

http.createServer((request, response) => {
  if (request.method === 'POST' && request.url === '/draw') {
    submit({ user: 'node', provider: 'sketch', prompt: 'a lighthouse in fog', size: '128x128' })
      .then((record) => response.writeHead(202, { 'Content-Type': 'application/json' }).end(JSON.stringify(record)))
      .catch((error) => response.writeHead(400).end(error.message));
  } else {
    serve(request, response);
  }
}).listen(0, '127.0.0.1', function listening() {
  console.log(`listening http://127.0.0.1:${this.address().port}`);
});
