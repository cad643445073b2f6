// One run of wrk, on the load generator's core.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = name => fileURLToPath(new URL(name, import.meta.url));

/**
 * Loads the URL for some seconds and tells requests per second, bytes per second and the latencies in milliseconds.
 * Any error is a failure: a figure with errors in it says nothing. With `distinct`, no URL is asked for twice.
 */
export async function load({ url, core, connections, seconds, distinct }) {
  const output = await run('taskset', [
    '-c', String(core), 'wrk', '-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '5s', '--latency',
    '-s', script(distinct ? 'misses.lua' : 'figures.lua'), url, ...(distinct ? ['--', distinct] : []),
  ]);

  const line = output.split('\n').find(l => l.startsWith('figures '));
  if (line === undefined) throw new Error(`wrk printed no figures for ${url}:\n${output}`);
  const figures = JSON.parse(line.slice('figures '.length));
  const errors = Object.entries(figures.errors).filter(([, count]) => count > 0);
  if (errors.length > 0) throw new Error(`errors while loading ${url}: ${errors.map(([kind, count]) => `${count} ${kind}`).join(', ')}`);

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

let current = null;

/** Ends the load that is under way, if any. */
export function endLoad() {
  current?.kill();
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = current = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', chunk => { output += chunk; });
    child.stderr.on('data', chunk => { output += chunk; });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      current = null;
      if (code === 0) resolve(output);
      else reject(new Error(`wrk ended with ${signal ?? `exit code ${code}`}:\n${output}`));
    });
  });
}
