// How the contenders are spoken to: HTTP/1.1, the same over TLS, or HTTP/2 over TLS.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { join } from 'node:path';

export const protocols = {
  http1: { title: 'HTTP/1.1', scheme: 'http', isOverTls: false },
  tls: { title: 'HTTP/1.1 over TLS', scheme: 'https', isOverTls: true },
  h2: { title: 'HTTP/2', scheme: 'https', isOverTls: true },
};

/**
 * The suites that clients offer: only these, since contenders choose by different orders (nginx by the client's, .NET by its own).
 * They're what clients and servers of OpenSSL agree on that have no wishes, as wrk, which takes none, and all contenders.
 */
export const suites = { 'TLSv1.3': 'TLS_AES_256_GCM_SHA384', 'TLSv1.2': 'ECDHE-ECDSA-AES256-GCM-SHA384' };

/** A self-signed certificate for everybody: P-256, as Let's Encrypt's clients ask for. */
export function makeCertificate(directory) {
  const certificate = join(directory, 'certificate.pem');
  const key = join(directory, 'key.pem');
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate,
  ], { stdio: 'ignore' });
  chmodSync(key, 0o644); // nginx's worker isn't root; the key is worth nothing
  return { certificate, key };
}

/** What a client without wishes of its own and a contender agree on: the version of TLS and the suite. */
export function agreedTls(port) {
  const { stderr } = spawnSync('openssl', ['s_client', '-brief', '-connect', `127.0.0.1:${port}`], { encoding: 'utf8', input: '', timeout: 10_000 });
  const of = name => new RegExp(`^${name}: (.*)$`, 'm').exec(stderr)?.[1] ?? 'nothing';
  return `${of('Protocol version')}, ${of('Ciphersuite')}`;
}

/** What everything is to be measured with. */
export const expectedTls = `TLSv1.3, ${suites['TLSv1.3']}`;

/** One GET on a connection of its own. */
export const get = (protocol, port, path) => (protocol === 'h2' ? getOverHttp2(port, path) : getOverHttp1(protocols[protocol].isOverTls ? https : http, port, path));

function getOverHttp1(module, port, path) {
  return new Promise((resolve, reject) => {
    const request = module.get({ host: '127.0.0.1', port, path, agent: false, timeout: 10_000, rejectUnauthorized: false }, response => {
      const chunks = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.on('timeout', () => request.destroy(new Error(`no answer from port ${port} within 10 s`)));
    request.on('error', reject);
  });
}

function getOverHttp2(port, path) {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    session.on('error', reject);
    session.setTimeout(10_000, () => session.destroy(new Error(`no answer from port ${port} within 10 s`)));
    const request = session.request({ ':path': path });
    const chunks = [];
    let headers;
    request.on('response', fields => { headers = fields; });
    request.on('data', chunk => chunks.push(chunk));
    request.on('error', reject);
    request.on('end', () => {
      session.close();
      resolve({ status: headers[':status'], headers, body: Buffer.concat(chunks) });
    });
  });
}
