// The caches side by side: each on the same one core, load and origin on another, in turn. See README.md.
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { contendersOf, names, start } from './contenders.mjs';
import { endLoad, load, shakeHands } from './load.mjs';
import { sha256, startOrigin } from './origin.mjs';
import { allowedCores, end, endAll, watchCore } from './processes.mjs';
import { agreedTls, expectedTls, get, makeCertificate, protocols } from './protocols.mjs';
import { handshakeTable, headline, machine, missTable, hitTable, sizeName, warnings } from './report.mjs';

const usage = `usage: run.sh [--sizes 1024,10240,102400,1048576] [--seconds 8] [--rounds 3] [--warm 30] [--connections 64]
              [--protocol http1|tls|h2] [--only hits|misses|handshakes] [--contenders ${names.join(',')}] [--cores SERVER,LOAD] [--no-build]

  --sizes        bytes of the bodies of the hits; the first is the headline
  --seconds      length of one measurement
  --rounds       measurements of each, in turn; the table has their medians
  --warm         seconds of load before the figures count (dynamic PGO needs some 30); a fifth of it for each
                 further size
  --connections  of the load generator
  --protocol     how the contenders are spoken to: HTTP/1.1, the same over TLS, or HTTP/2; over TLS Varnish is left out
  --only         one of the parts; handshakes are of TLS, full and resumed, each with one request. By default hits and
                 misses, over TLS hits
  --contenders   those to run
  --cores        the core of the contender, and that of the load generator and the origin; default: the first two
                 that this process may use
  --no-build     take the binaries as they are`;

const say = text => process.stderr.write(`${text}\n`);

class WrongCall extends Error {}

function settingsFrom(args) {
  const values = parsed(args);
  const number = (name, least) => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < least) throw new WrongCall(`--${name} ${values[name]}: a whole number from ${least} is meant`);
    return value;
  };
  const list = (name, isValid) => {
    const items = values[name].split(',');
    if (!items.every(isValid)) throw new WrongCall(`--${name} ${values[name]}: not understood`);
    return items;
  };
  const only = values.only === 'miss' ? 'misses' : values.only;
  if (only !== undefined && !['hits', 'misses', 'handshakes'].includes(only)) throw new WrongCall(`--only ${only}: hits, misses or handshakes is meant`);
  const protocol = values.protocol ?? (only === 'handshakes' ? 'tls' : 'http1');
  if (!(protocol in protocols)) throw new WrongCall(`--protocol ${protocol}: http1, tls or h2 is meant`);
  if (only === 'misses' && protocol === 'h2') throw new WrongCall('--only misses --protocol h2: h2load can ask for no other URL each time');
  if (only === 'handshakes' && protocol !== 'tls') throw new WrongCall(`--only handshakes --protocol ${protocol}: the protocol of handshakes is tls`);

  const allowed = allowedCores();
  const [serverCore, loadCore] = values.cores
    ? list('cores', core => allowed.includes(Number(core))).map(Number)
    : allowed;
  if (loadCore === undefined || serverCore === loadCore) throw new WrongCall('two cores are needed, one for the contender and one for the load');

  return {
    sizes: list('sizes', size => /^[1-9]\d{0,8}$/.test(size)).map(Number),
    seconds: number('seconds', 1),
    rounds: number('rounds', 1),
    warm: number('warm', 0),
    connections: number('connections', 1),
    protocol,
    parts: only ? [only] : protocol === 'http1' ? ['hits', 'misses'] : ['hits'],
    contenders: list('contenders', name => names.includes(name)),
    serverCore,
    loadCore,
  };
}

function parsed(args) {
  const text = value => ({ type: 'string', default: value });
  try {
    return parseArgs({
      args,
      options: {
        sizes: text('1024,10240,102400,1048576'), seconds: text('8'), rounds: text('3'), warm: text('30'),
        connections: text('64'), contenders: text(names.join(',')), only: { type: 'string' }, protocol: { type: 'string' }, cores: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new WrongCall(error.message);
  }
}

/** What is asked of each contender in a part. */
function casesOf(part, sizes) {
  if (part === 'handshakes') {
    return ['TLSv1.3', 'TLSv1.2'].flatMap(version => [false, true].map(isResumed => ({
      label: `${version.replace('v', ' ')}, ${isResumed ? 'resumed' : 'full'}`, path: '/b/1024', size: 1024, expect: 'hit', version, isResumed,
    })));
  }
  if (part === 'hits') return sizes.map(size => ({ label: sizeName(size), path: `/b/${size}`, size, expect: 'hit' }));
  return [
    { label: 'miss', path: '/m/1024', size: 1024, expect: 'miss', distinct: true },
    { label: 'pass', path: '/n/1024', size: 1024, expect: 'miss', distinct: false },
  ];
}

/** A part: start, look, measure cold, warm; then all in turn, for some rounds; then look again. */
async function runPart(part, settings, origin, directory) {
  const { protocol } = settings;
  const cases = casesOf(part, settings.sizes);
  const tls = protocols[protocol].isOverTls ? makeCertificate(directory) : null;
  const racers = [];
  const leftOut = [];
  const leaveOut = (name, why) => {
    leftOut.push({ name, why });
    say(`${part}: ${name} is left out, ${why}`);
  };
  for (const contender of contendersOf(part, settings.contenders, tls !== null, leaveOut)) {
    const racer = await start(contender, { directory, core: settings.serverCore, origin, protocol, tls });
    racers.push(racer);
    if (tls) {
      racer.tls = agreedTls(racer.port);
      if (racer.tls !== expectedTls) throw new Error(`${racer.name} agrees on ${racer.tls}, where ${expectedTls} is meant`);
    }
    for (const one of cases) await lookAt(racer, one, settings, origin);
    say(`${part}: ${racer.name}, cold, then ${settings.warm} s of load`);
    racer.cold = await measure(racer, cases[0], settings, origin, settings.seconds);
    racer.runs = new Map(cases.map(one => [one.label, []]));
    for (const [i, one] of cases.entries()) {
      const seconds = i === 0 ? settings.warm : Math.ceil(settings.warm / 5);
      if (seconds > 0) await measure(racer, one, settings, origin, seconds);
    }
  }

  for (let round = 1; round <= settings.rounds; round++) {
    for (const one of cases) {
      for (const racer of racers) {
        const figures = await measure(racer, one, settings, origin, settings.seconds);
        racer.runs.get(one.label).push(figures);
        say(`${part}: round ${round}, ${one.label}, ${racer.name}: ${Math.round(figures.rate)}/s, core ${Math.round(100 * figures.core.busy)} %`);
      }
    }
  }

  for (const racer of racers) {
    for (const one of cases) await lookAt(racer, one, settings, origin);
    await end(racer.started);
  }
  return { part, cases, racers, leftOut };
}

let distinct = 0;

/** One measurement; fails if what was measured isn't what was meant. */
async function measure(racer, one, settings, origin, seconds) {
  racer.started.failIfEnded();
  const before = await origin.requestCount();
  const observed = watchCore(settings.serverCore, racer.started);
  const figures = one.version ? { rate: await shakeHands({ ...one, port: racer.port, core: settings.loadCore, seconds }) } : await load({
    url: `${protocols[settings.protocol].scheme}://127.0.0.1:${racer.port}${one.path}`,
    protocol: settings.protocol,
    core: settings.loadCore,
    connections: settings.connections,
    seconds,
    directory: settings.directory,
    distinct: one.distinct ? `run${++distinct}` : null,
  });
  const core = observed();
  const reached = await origin.requestCount() - before;

  const what = `${racer.name}, ${one.label}`;
  if (one.expect === 'hit' && reached !== 0)
    throw new Error(`${what}: not all hits, ${reached} of ${figures.requests} requests reached the origin`);
  if (one.expect === 'miss' && reached < figures.requests)
    throw new Error(`${what}: not all misses, only ${reached} of ${figures.requests} requests reached the origin`);
  if (figures.bytes < figures.requests * one.size)
    throw new Error(`${what}: ${figures.bytes} bytes in ${figures.requests} responses of ${one.size} bytes`);
  return { ...figures, core };
}

/** Asks once by hand: the right bytes, and a hit where hits are to be measured. */
async function lookAt(racer, one, settings, origin) {
  const path = one.distinct ? `${one.path}?look${++distinct}` : one.path;
  // A fill may still be on its way into the store when its first client has everything.
  const deadline = Date.now() + 5000;
  for (;;) {
    const { status, headers, body } = await get(settings.protocol, racer.port, path);
    const what = `${racer.name}, ${path}`;
    if (status !== 200) throw new Error(`${what}: status ${status}\n${racer.started.log()}`);
    if (body.length !== one.size || sha256(body) !== origin.checksum(one.size))
      throw new Error(`${what}: ${body.length} bytes that aren't the ${one.size} of the origin`);
    const hit = racer.isHit(headers);
    if (hit === (one.expect === 'hit')) return;
    if (hit || Date.now() > deadline) throw new Error(`${what}: expected a ${one.expect}, got ${JSON.stringify(headers)}`);
  }
}

async function main() {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    console.log(usage);
    return;
  }
  const settings = settingsFrom(args);
  // nginx and Varnish give up root, so their parent folder has to be open to them.
  const memory = existsSync('/dev/shm');
  const directory = mkdtempSync(join(memory ? '/dev/shm' : tmpdir(), 'cdnedge-side-by-side-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  chmodSync(directory, 0o755);
  if (!memory) say('there is no /dev/shm: the caches that use files use the disk');

  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) {
    process.once(signal, async () => {
      endLoad();
      await endAll();
      process.exit(code);
    });
  }

  settings.directory = directory;
  const sizes = [...new Set([...settings.sizes, 1024])];
  const origin = await startOrigin({ directory, core: settings.loadCore, sizes });
  const results = [];
  for (const part of settings.parts) results.push(await runPart(part, settings, origin, directory));

  const hits = results.find(result => result.part === 'hits');
  const misses = results.find(result => result.part === 'misses');
  const handshakes = results.find(result => result.part === 'handshakes');
  const lines = [
    ...machine(settings),
    ...(hits ? ['', ...hitTable(hits, settings)] : []),
    ...(misses ? ['', ...missTable(misses, settings)] : []),
    ...(handshakes ? ['', ...handshakeTable(handshakes)] : []),
    '',
    ...warnings(results),
    ...headline(hits, misses, settings),
  ];
  console.log(lines.join('\n'));
}

try {
  await main();
} catch (error) {
  say(error instanceof WrongCall ? `${error.message}\n\n${usage}` : `side-by-side failed: ${error.message}`);
  process.exitCode = error instanceof WrongCall ? 2 : 1;
} finally {
  endLoad();
  await endAll();
}
