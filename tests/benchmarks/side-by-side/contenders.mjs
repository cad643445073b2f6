// Who runs: how each is started on a core, and how its answer says that it was a hit.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startPinned, untilListening } from './processes.mjs';
import { fillTemplate } from './templates.mjs';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const cdnedge = join(repository, 'src/CdnEdge/bin/Release/net10.0/cdnedge.dll');
const before = process.env.CDNEDGE_BEFORE;
const bare = join(repository, 'tests/benchmarks/Contenders/bin/Release/net10.0/contenders.dll');

/** The same bound for everybody's cache. */
const cacheBytes = 512 * 1024 * 1024;

const all = [
  {
    name: 'nginx',
    missing: () => notOnPath('nginx'),
    command: ({ home, port, origin, protocol, tls }) => ({
      command: 'nginx',
      args: ['-p', home, '-c', fillTemplate('nginx.conf', join(home, 'nginx.conf'), {
        dir: home, port, originPort: origin.port, cacheBytes,
        listenAs: tls ? (protocol === 'h2' ? ' ssl http2' : ' ssl') : '',
        tls: tls ? `ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};` : '',
      })],
    }),
    isHit: headers => headers['x-cache'] === 'HIT',
  },
  {
    name: 'varnish',
    isWithoutTls: true,
    missing: () => notOnPath('varnishd'),
    command: ({ home, port, origin }) => ({
      command: 'varnishd',
      args: [
        '-F', '-n', join(home, 'work'), '-a', `127.0.0.1:${port}`, '-T', 'none', '-s', `malloc,${cacheBytes}`,
        '-f', fillTemplate('varnish.vcl', join(home, 'default.vcl'), { originPort: origin.port }),
        // Threads as they come (2 pools of 100 to 5000): more than enough for the connections, and no slower than one pool.
        '-p', 'timeout_idle=600',
      ],
    }),
    // Two transaction ids: this one and the one that filled the object.
    isHit: headers => /^\d+ \d+$/.test(headers['x-varnish'] ?? ''),
  },
  {
    name: 'kestrel',
    onlyIn: 'hits',
    missing: () => notBuilt(bare),
    command: ({ port, origin, tls }) => ({
      command: 'dotnet', args: [bare, 'kestrel', String(port), origin.bodies, ...(tls ? [tls.certificate, tls.key] : [])],
    }),
    isHit: headers => headers.age !== undefined,
  },
  {
    name: 'yarp',
    onlyIn: 'misses',
    missing: () => notBuilt(bare),
    command: ({ port, origin }) => ({ command: 'dotnet', args: [bare, 'yarp', String(port), origin.url] }),
    isHit: () => false,
  },
  // Another build of cdnedge, to see what a change costs.
  ...(before ? [edge('before', before)] : []),
  edge('cdnedge', cdnedge),
];

function edge(name, dll) {
  return {
    name,
    missing: () => notBuilt(dll),
    command: ({ port, origin, tls }) => ({
      command: 'dotnet',
      args: [dll, 'serve', '--origin', origin.url, '--listen', `${tls ? 'https' : 'http'}://127.0.0.1:${port}`, '--admin', 'none'],
      env: {
        CdnEdge__Memory__MaxBytes: String(cacheBytes),
        ...(tls ? { CdnEdge__Tls__Certificates__0__Certificate: tls.certificate, CdnEdge__Tls__Certificates__0__Key: tls.key } : {}),
      },
    }),
    isHit: headers => /;\s*hit\b/.test(headers['cache-status'] ?? ''),
  };
}

export const names = all.map(contender => contender.name);

/** The contenders of a part that are here, in the order in which they take turns. Handshakes are measured with those of hits. */
export function contendersOf(part, wanted, tls, leaveOut) {
  const of = part === 'handshakes' ? 'hits' : part;
  return all.filter(contender => {
    if (!wanted.includes(contender.name) || (contender.onlyIn ?? of) !== of) return false;
    const why = contender.missing() ?? (tls && contender.isWithoutTls ? 'it has no TLS' : null);
    if (why) leaveOut(contender.name, why);
    return !why;
  });
}

/** Starts a contender in front of the origin and waits until it listens. */
export async function start(contender, { directory, core, origin, protocol, tls }) {
  const home = join(directory, contender.name);
  mkdirSync(home, { recursive: true });
  const port = await freePort();
  const { command, args, env } = contender.command({ home, port, origin, protocol, tls });
  const started = startPinned({ name: contender.name, core, command, args, env, logFile: join(home, 'output') });
  await untilListening(started, port);
  return { ...contender, port, started };
}

function notOnPath(command) {
  return (process.env.PATH ?? '').split(':').some(folder => existsSync(join(folder, command))) ? null : `there is no ${command} on the PATH`;
}

function notBuilt(dll) {
  return existsSync(dll) ? null : `${dll.replace(repository, '')} isn't built`;
}
