// Redis and PostgreSQL for one run, on sockets of their own inside `folder`; stopped by their own process.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

async function until(what, ready) {
  for (let i = 0; i < 600; ++i) {
    try {
      if (await ready()) return;
    } catch { /* not yet */ }
    await sleep(50);
  }
  throw new Error(`${what} did not start`);
}

function ended(child) {
  return new Promise((resolve) => child.once('exit', resolve));
}

// `fsync`: "always" | "everysec". Returns where it listens and how it is stopped.
export async function startRedis(folder, fsync) {
  const data = join(folder, `redis-${fsync}`);
  mkdirSync(data, { recursive: true });
  const socket = join(data, 'socket');
  const child = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--dir', data, '--save', '', '--appendonly', 'yes',
    '--appendfsync', fsync, '--maxmemory-policy', 'noeviction', '--daemonize', 'no'], { stdio: 'ignore' });
  await until('redis-server', () => existsSync(socket));
  const version = execFileSync('redis-server', ['--version'], { encoding: 'utf8' }).match(/v=([\d.]+)/)[1];
  return { path: socket, version, stop: async () => { child.kill('SIGTERM'); await ended(child); } };
}

// PostgreSQL with its own defaults. It refuses to run as root, so root hands it to the user "postgres".
export async function startPostgres(folder) {
  const base = '/usr/lib/postgresql';
  const release = readdirSync(base).sort((a, b) => Number(b) - Number(a))[0];
  const program = (name) => join(base, release, 'bin', name);
  const data = join(folder, 'postgres');
  let as = {};
  if (process.getuid() === 0) {
    const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
    as = { uid: id('-u'), gid: id('-g') };
  }
  mkdirSync(data, { recursive: true });
  if (as.uid) chownSync(data, as.uid, as.gid);
  execFileSync(program('initdb'), ['-D', join(data, 'db'), '-U', 'bench', '--auth=trust', '-E', 'UTF8', '--no-locale'], { ...as, cwd: '/', stdio: 'ignore' });
  const child = spawn(program('postgres'), ['-D', join(data, 'db'), '-k', data, '-c', 'listen_addresses='], { ...as, cwd: '/', stdio: 'ignore' });
  await until('postgres', () => {
    execFileSync(program('pg_isready'), ['-h', data, '-U', 'bench', '-d', 'postgres'], { stdio: 'ignore' });
    return true; // or it has thrown
  });
  return { host: data, version: execFileSync(program('postgres'), ['--version'], { encoding: 'utf8' }).match(/[\d.]+/)[0],
    stop: async () => { child.kill('SIGINT'); await ended(child); } };
}
