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

function serve(request, response, sent) {
  const tag = ++lastTag;
  let headers = '';
  for (let i = 0; i < request.rawHeaders.length; i += 2) headers += `${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}\r\n`;
  const [answered, call] = mediagen.handle(tag, request.method, request.url, headers, sent);
  let headSent = false;
  const pump = () => {
    if (!headSent) {
      const [status, block] = mediagen.head(call);
      for (const line of block.split('\r\n')) {
        const colon = line.indexOf(': ');
        if (colon > 0) response.setHeader(line.slice(0, colon), line.slice(colon + 2));
      }
      response.writeHead(status);
      headSent = true;
    }
    for (;;) {
      const [kind, bytes] = mediagen.body(call);
      if (kind < 0) return; // READABLE follows
      if (bytes) response.write(bytes);
      if (kind !== 3) break; // 3: a stream's piece; anything else was the whole body
    }
    waiting.delete(tag);
    response.end();
  };
  response.on('close', () => waiting.delete(tag)); // the call goes with its handle
  waiting.set(tag, (kind) => { if (kind === HEAD || kind === READABLE || (kind === DONE && !headSent)) pump(); });
  if (answered) pump();
}

http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => serve(request, response, Buffer.concat(chunks)));
}).listen(0, '127.0.0.1', function listening() {
  console.log(`listening http://127.0.0.1:${this.address().port}`);
});
