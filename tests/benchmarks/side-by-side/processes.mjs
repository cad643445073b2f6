// Processes of a run: each pinned to one core, each the leader of its own group, each ended by its own id.
import { spawn } from 'node:child_process';
import { openSync, closeSync, readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const running = new Set();

// The last resort, when there is no time left to ask politely.
process.on('exit', () => {
  for (const started of running) started.signal('SIGKILL');
});

/** Starts a command on a core, its output in a file. */
export function startPinned({ name, core, command, args, env, logFile }) {
  const log = openSync(logFile, 'w');
  const child = spawn('taskset', ['-c', String(core), command, ...args], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...env },
  });
  closeSync(log);

  const started = {
    name,
    pid: child.pid,
    ended: null,
    log: () => readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n'),
    signal: signal => {
      try {
        process.kill(-child.pid, signal);
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    },
    failIfEnded: () => {
      if (started.ended !== null) throw new Error(`${name} ended by itself (${started.ended}):\n${started.log()}`);
    },
  };
  started.whenEnded = new Promise(resolve => {
    const end = how => {
      started.ended = how;
      running.delete(started);
      resolve();
    };
    child.on('error', error => end(error.message));
    child.on('exit', (code, signal) => end(signal ?? `exit code ${code}`));
  });
  running.add(started);
  return started;
}

/** Ends a process that startPinned started, and what that one has started. */
export async function end(started) {
  if (started.ended !== null) return;
  process.kill(started.pid, 'SIGTERM');
  const late = setTimeout(() => started.signal('SIGKILL'), 5000);
  await started.whenEnded;
  clearTimeout(late);
}

/** Ends everything that is still running. */
export const endAll = () => Promise.all([...running].map(end));

/** Waits until the process accepts connections on the port. */
export async function untilListening(started, port) {
  const deadline = Date.now() + 30_000;
  while (!(await accepts(port))) {
    started.failIfEnded();
    if (Date.now() > deadline) throw new Error(`${started.name} doesn't listen on port ${port} after 30 s:\n${started.log()}`);
    await delay(20);
  }
  started.failIfEnded();
}

function accepts(port) {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}

/** A port of 127.0.0.1 that nobody listens on. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The cores that this process may use. */
export function allowedCores() {
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];
  return list.split(',').flatMap(range => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Clock ticks so far: of the core as a whole, of its idling, of code on it (and on its host, instead of it). */
function coreTicks(core) {
  const line = readFileSync('/proc/stat', 'utf8').split('\n').find(l => l.startsWith(`cpu${core} `));
  const [user, nice, system, idle, iowait, irq, softirq, steal] = line.split(/\s+/).slice(1).map(Number);
  return { all: user + nice + system + idle + iowait + irq + softirq + steal, idle: idle + iowait, code: user + nice + system + steal };
}

/** Clock ticks so far of the process's whole group. */
function groupTicks(pid) {
  let ticks = 0;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = statOf(entry);
    if (stat !== null && Number(stat[2]) === pid) ticks += Number(stat[11]) + Number(stat[12]);
  }
  return ticks;
}

// The fields of /proc/PID/stat after the command's name (which may hold blanks); null if it has ended meanwhile.
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return null;
    throw error;
  }
}

/** Observes a core: how much of it was busy, and how much of it went to anything but the contender. */
export function watchCore(core, started) {
  const before = { core: coreTicks(core), group: groupTicks(started.pid) };
  return () => {
    const after = { core: coreTicks(core), group: groupTicks(started.pid) };
    const all = after.core.all - before.core.all;
    const own = after.group - before.group;
    return {
      busy: 1 - (after.core.idle - before.core.idle) / all,
      others: Math.max(0, after.core.code - before.core.code - own) / all,
    };
  };
}
