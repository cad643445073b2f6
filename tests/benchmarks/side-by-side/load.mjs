// Load on the load generator's core: wrk, h2load, or handshakes.mjs.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expectedTls, suites } from './protocols.mjs';

const script = name => fileURLToPath(new URL(name, import.meta.url));

/**
 * Loads the URL for some seconds and tells requests per second, bytes per second and the latencies in milliseconds.
 * Any error is a failure: a figure with errors in it says nothing. With `distinct`, no URL is asked for twice.
 */
export const load = settings => (settings.protocol === 'h2' ? loadByH2load(settings) : loadByWrk(settings));

async function loadByWrk({ url, core, connections, seconds, distinct }) {
  const output = await run('wrk', [
    '-c', String(core), 'wrk', '-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '5s', '--latency',
    '-s', script(distinct ? 'misses.lua' : 'figures.lua'), url, ...(distinct ? ['--', distinct] : []),
  ]);

  const line = output.split('\n').find(l => l.startsWith('figures '));
  if (line === undefined) throw new Error(`wrk printed no figures for ${url}:\n${output}`);
  const figures = JSON.parse(line.slice('figures '.length));
  failOn(figures.errors, url);

  const elapsed = figures.microseconds / 1e6;
  return {
    requests: figures.requests,
    bytes: figures.bytes,
    rate: figures.requests / elapsed,
    bytesPerSecond: figures.bytes / elapsed,
    p50: figures.p50 / 1000,
    p99: figures.p99 / 1000,
  };
}

/** Streams at a time on each connection of HTTP/2. */
export const streams = 10;

// Its own figures have no percentiles: they come from its line for each request.
async function loadByH2load({ url, core, connections, seconds, directory }) {
  const log = join(directory, 'h2load');
  rmSync(log, { force: true });
  const output = await run('h2load', [
    '-c', String(core), 'h2load', '-t', '1', '-c', String(connections), '-m', String(streams), '-D', String(seconds), '--log-file', log,
    '--tls13-ciphers', suites['TLSv1.3'], url,
  ]);

  const number = (what, pattern) => {
    const found = pattern.exec(output);
    if (found === null) throw new Error(`h2load printed no ${what} for ${url}:\n${output}`);
    return Number(found[1]);
  };
  const of = name => new RegExp(`^${name}: (.*)$`, 'm').exec(output)?.[1] ?? 'nothing';
  const agreed = `${of('TLS Protocol')}, ${of('Cipher')}`;
  if (agreed !== expectedTls) throw new Error(`h2load and ${url} agreed on ${agreed}, where ${expectedTls} is meant`);
  // Requests that are under way at the end of the time count as started only.
  failOn({ failed: number('failures', /(\d+) failed/), errored: number('errors', /(\d+) errored/), timeout: number('timeouts', /(\d+) timeout/) }, url);
  const bytes = number('bytes', /traffic: \S+ \((\d+)\) total/);

  const times = Uint32Array.from(readFileSync(log, 'latin1').trimEnd().split('\n'), line => line.slice(line.lastIndexOf('\t') + 1)).sort();
  rmSync(log);
  const at = share => times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)] / 1000;
  const requests = times.length;
  return { requests, bytes, rate: requests / seconds, bytesPerSecond: bytes / seconds, p50: at(0.5), p99: at(0.99) };
}

/** Shakes hands for some seconds, each time with one request of 1 KiB, and tells how often a second (handshakes.mjs). */
export async function shakeHands({ port, core, seconds, version, isResumed }) {
  const output = await run('handshakes.mjs', [
    '-c', String(core), process.execPath, script('handshakes.mjs'), String(port), version, String(seconds), isResumed ? 'resumed' : 'full',
  ]);
  const figures = JSON.parse(output);
  if (figures.resumed !== (isResumed ? figures.count : 0)) throw new Error(`port ${port}, ${version}: ${figures.resumed} of ${figures.count} handshakes were resumed`);
  return figures.count / figures.seconds;
}

function failOn(counts, url) {
  const errors = Object.entries(counts).filter(([, count]) => count > 0);
  if (errors.length > 0) throw new Error(`errors while loading ${url}: ${errors.map(([kind, count]) => `${count} ${kind}`).join(', ')}`);
}

const running = new Set();

/** Ends the load that is under way, if any. */
export function endLoad() {
  for (const child of running) child.kill();
}

// Arguments are those of taskset.
function run(name, args) {
  return new Promise((resolve, reject) => {
    const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let output = '';
    child.stdout.on('data', chunk => { output += chunk; });
    child.stderr.on('data', chunk => { output += chunk; });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      running.delete(child);
      if (code === 0) resolve(output);
      else reject(new Error(`${name} ended with ${signal ?? `exit code ${code}`}:\n${output}`));
    });
  });
}
