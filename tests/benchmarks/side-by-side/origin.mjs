// The origin: static bodies of known sizes behind nginx, which counts the requests that reach it.
import { createHash, createCipheriv } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startPinned, untilListening } from './processes.mjs';
import { get } from './protocols.mjs';
import { fillTemplate } from './templates.mjs';

export async function startOrigin({ directory, core, sizes }) {
  const bodies = join(directory, 'bodies');
  mkdirSync(bodies);
  const sums = new Map();
  for (const size of sizes) {
    const body = noise(size);
    writeFileSync(join(bodies, String(size)), body);
    sums.set(size, sha256(body));
  }

  const home = join(directory, 'origin');
  mkdirSync(home);
  const port = await freePort();
  const configuration = fillTemplate('origin.conf', join(home, 'nginx.conf'), { dir: home, bodies, port });
  const started = startPinned({
    name: 'origin', core, command: 'nginx', args: ['-p', home, '-c', configuration], logFile: join(home, 'output'),
  });
  await untilListening(started, port);

  return {
    port,
    bodies,
    url: `http://127.0.0.1:${port}`,
    checksum: size => sums.get(size),
    requestCount: () => requestCount(port),
  };
}

// Bodies that no compression can shorten, the same in every run.
function noise(size) {
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16, 2));
  return stream.update(Buffer.alloc(size));
}

export const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');

// How often it was asked for the count itself, which it counts too.
let asked = 0;

async function requestCount(port) {
  asked++;
  const { body } = await get('http1', port, '/status');
  const [, , , requests] = /(\d+) (\d+) (\d+) \n/.exec(body.toString());
  return Number(requests) - asked;
}
