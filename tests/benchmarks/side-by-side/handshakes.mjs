// Handshakes of TLS for some seconds: node handshakes.mjs PORT VERSION SECONDS full|resumed. Prints what came of it as JSON.
// Each is on a connection of its own, with one request; a few at a time, for each waits for the server half of the time.
// Not openssl s_time: .NET's servers resume none of its sessions, but those of every other client.
import tls from 'node:tls';
import { suites } from './protocols.mjs';

const atATime = 8;
const [port, version, seconds, kind] = process.argv.slice(2);
const deadline = performance.now() + 1000 * Number(seconds);
const request = `GET /b/1024 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`;
let [count, resumed] = [0, 0];

async function again() {
  let session;
  // The first is the one that the others resume.
  if (kind === 'resumed') session = (await shakeHands()).session;
  while (performance.now() < deadline) {
    const done = await shakeHands(session);
    count++;
    if (done.isResumed) resumed++;
    // A session of TLS 1.3 is meant for one use (RFC 8446 §C.4): each connection brings the next.
    if (kind === 'resumed') session = done.session ?? session;
  }
}

function shakeHands(session) {
  return new Promise((resolve, reject) => {
    const done = { isResumed: false, session: undefined };
    let bytes = 0;
    const socket = tls.connect({
      host: '127.0.0.1', port, rejectUnauthorized: false, session, minVersion: version, maxVersion: version, ciphers: suites[version],
    }, () => {
      done.isResumed = socket.isSessionReused();
      socket.write(request);
    });
    socket.on('session', next => { done.session = next; });
    socket.on('data', chunk => { bytes += chunk.length; });
    socket.on('error', reject);
    socket.on('close', () => (bytes > 1024 ? resolve(done) : reject(new Error(`${bytes} bytes of a response of more than 1 KiB`))));
  });
}

const began = performance.now();
await Promise.all(Array.from({ length: atATime }, again));
console.log(JSON.stringify({ count, resumed, seconds: (performance.now() - began) / 1000 }));
