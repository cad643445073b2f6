// The table for a closing note.
import { execFileSync } from 'node:child_process';
import { cpus, release } from 'node:os';
import { streams } from './load.mjs';
import { protocols } from './protocols.mjs';

const displayNames = { nginx: 'nginx', varnish: 'Varnish', kestrel: 'a bare Kestrel middleware', yarp: 'bare YARP', before: 'the build before', cdnedge: 'cdnedge' };

export const sizeName = bytes =>
  bytes % 1048576 === 0 ? `${bytes / 1048576} MiB` : bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} B`;

export function machine(settings) {
  const firstLine = (command, args) => {
    try {
      return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0].trim();
    } catch {
      return null; // A contender that isn't installed has been reported already.
    }
  };
  const versions = [
    settings.contenders.includes('nginx') ? firstLine('sh', ['-c', 'nginx -v 2>&1']) : null,
    settings.contenders.includes('varnish') ? firstLine('sh', ['-c', 'varnishd -V 2>&1']) : null,
    firstLine('sh', ['-c', 'dotnet --list-runtimes | grep AspNetCore | tail -1 | cut -d" " -f1-2']),
    settings.parts.includes('handshakes') ? `node ${process.version}, OpenSSL ${process.versions.openssl}`
      : settings.protocol === 'h2' ? firstLine('h2load', ['--version']) : firstLine('sh', ['-c', 'wrk -v 2>&1 | cut -d" " -f1-2']),
  ];
  return [
    `${cpus()[0].model}, Linux ${release()}; contender on core ${settings.serverCore}, load and origin on core ${settings.loadCore}`,
    versions.filter(Boolean).join('; '),
    `medians of ${settings.rounds} rounds of ${settings.seconds} s in turn, after ${settings.warm} s of load; `
      + `${howSpoken(settings)}; "cold": the first ${settings.seconds} s after the start`,
  ];
}

const howSpoken = ({ protocol, connections, parts }) => parts.includes('handshakes') ? 'TLS, 8 connections at a time'
  : `${protocols[protocol].title}, ${connections} connections${protocol === 'h2' ? `, ${streams} streams each` : ''}`;

/** What each contender agrees on, and who is missing for it. */
const agreements = (racers, leftOut) => [
  ...racers.filter(racer => racer.tls).map(racer => `${racer.name}: ${racer.tls}`),
  ...leftOut.map(({ name, why }) => `${name}: left out, ${why}`),
];

/** Handshakes a second. "of the core": what they would be if the contender had had its core all the time. */
export function handshakeTable({ cases, racers, leftOut }) {
  const rows = [['TLS handshakes, each with one request of 1 KiB', '', 'per second', 'core', 'of the core', 'of nginx']];
  const perCore = (racer, one) => summary(racer, one).rate / summary(racer, one).own;
  const nginx = racers.find(racer => racer.name === 'nginx');
  for (const one of cases) {
    for (const racer of racers) {
      rows.push([
        one.label, racer.name, Math.round(summary(racer, one).rate).toString(), percent(summary(racer, one).busy), Math.round(perCore(racer, one)).toString(),
        nginx && racer !== nginx ? ratio(perCore(racer, one), perCore(nginx, one)) : '',
      ]);
    }
  }
  return [...aligned(rows), ...agreements(racers, leftOut)];
}

export const hitTable = (result, settings) => table(result, 'hits', ['nginx', 'varnish', 'kestrel', 'before'], settings);

export const missTable = (result, settings) =>
  table(result, 'misses (1 KiB; "miss": storable and distinct, "pass": no-store)', ['nginx', 'varnish', 'yarp', 'before'], settings);

function table({ cases, racers, leftOut }, title, references, settings) {
  const present = references.filter(name => racers.some(racer => racer.name === name));
  const rows = [[title, '', 'requests/s', 'MB/s', 'p50 ms', 'p99 ms', 'core', ...present.map(name => `of ${name}`)]];
  for (const [i, one] of cases.entries()) {
    for (const racer of racers) {
      const figures = summary(racer, one);
      rows.push([
        one.label, racer.name, ...cells(figures), figures.busy,
        ...present.map(name => name === racer.name ? '' : ratio(figures.rate, rateOf(racers, name, one))),
      ]);
    }
    if (i > 0) continue;
    for (const racer of racers) {
      const { cold } = racer;
      rows.push([
        `${one.label}, cold`, racer.name, ...cells(cold), cold.core.busy,
        ...present.map(name => name === racer.name ? '' : ratio(cold.rate, racers.find(other => other.name === name).cold.rate)),
      ]);
    }
  }
  return [...aligned(rows.map((row, i) => i === 0 ? row : row.map((cell, column) => column === 6 ? percent(cell) : cell))), ...agreements(racers, leftOut)];
}

const cells = figures => [
  Math.round(figures.rate).toString(), (figures.bytesPerSecond / 1e6).toFixed(1), figures.p50.toFixed(2), figures.p99.toFixed(2),
];

function summary(racer, one) {
  const runs = racer.runs.get(one.label);
  const of = select => median(runs.map(select));
  return {
    rate: of(run => run.rate),
    bytesPerSecond: of(run => run.bytesPerSecond),
    p50: of(run => run.p50),
    p99: of(run => run.p99),
    busy: of(run => run.core.busy),
    own: of(run => run.core.busy - run.core.others),
    others: Math.max(...runs.map(run => run.core.others)),
  };
}

const rateOf = (racers, name, one) => summary(racers.find(racer => racer.name === name), one).rate;

const ratio = (rate, reference) => (rate / reference).toFixed(2);

const percent = share => `${Math.round(share * 100)} %`;

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function aligned(rows) {
  // A title may be longer than its column: it stands alone.
  const [title, ...heads] = rows[0];
  const all = [['', ...heads], ...rows.slice(1)];
  const widths = all[0].map((_, column) => Math.max(...all.map(row => row[column].length)));
  const lines = all.map(row => row.map((cell, i) => i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join('  ').trimEnd());
  return [title, ...lines];
}

/** Reasons not to believe a figure. */
export function warnings(results) {
  const all = results.flatMap(({ cases, racers }) =>
    cases.flatMap(one => racers.map(racer => ({ what: `${one.label} ${racer.name}`, ...summary(racer, one) }))));
  const disturbed = all.filter(figures => figures.others > 0.05);
  const idle = all.filter(figures => !disturbed.includes(figures) && figures.busy < 0.9);

  const lines = [];
  if (disturbed.length > 0) {
    const worst = Math.max(...disturbed.map(figures => figures.others));
    lines.push(`NOT TO BE TRUSTED, something else took up to ${percent(worst)} of the contender's core: ${list(disturbed)}`);
  }
  if (idle.length > 0) lines.push(`bound by something else than the contender, whose core was less than 90 % busy: ${list(idle)}`);
  return lines.length > 0 ? [...lines, ''] : [];
}

const list = figures => figures.map(({ what }) => what).join(', ');

/** The lines that everything else stands for. */
export function headline(hits, misses, settings) {
  const line = (result, one, what, references) => {
    const measured = result.racers.find(racer => racer.name === 'cdnedge');
    if (measured === undefined) return [];
    const parts = references
      .filter(name => result.racers.some(racer => racer.name === name))
      .map(name => `${ratio(summary(measured, one).rate, rateOf(result.racers, name, one))} of ${displayNames[name]}`);
    return parts.length > 0 ? [`${what}, ${howSpoken(settings)}: ${parts.join(', ')}`] : [];
  };
  const latency = (result, one) => {
    const [was, is] = ['before', 'cdnedge'].map(name => result.racers.find(racer => racer.name === name));
    if (!was || !is) return [];
    const [a, b] = [was, is].map(racer => summary(racer, one).p50);
    return [`p50 of a ${one.label}: ${b.toFixed(3)} ms against ${a.toFixed(3)} ms of the build before, ${(b / a).toFixed(2)}`];
  };
  return [
    ...(misses ? misses.cases.flatMap(one => latency(misses, one)) : []),
    ...(misses ? misses.cases.flatMap(one => line(misses, one, one.distinct ? '1 KiB misses' : '1 KiB passes', ['nginx', 'varnish', 'yarp'])) : []),
    ...(hits ? hits.cases.slice(0, settings.protocol === 'http1' ? 1 : undefined)
      .flatMap(one => line(hits, one, `${one.label} hits`, ['nginx', 'varnish', 'kestrel', 'before'])) : []),
  ];
}
