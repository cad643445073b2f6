// The two processes around a run: the suite's server (the origin) and the real cdnedge in front of it. Both choose a
// free port and say which; both end with the run.

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))
const startDeadline = 60_000

export async function startOrigin (suite) {
  // The server serves files from its working directory and leaves a file with its pid: both in a folder that goes away.
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'cdnedge-conformance-'))
  const origin = await start('the suite\'s server',
    process.execPath, ['--no-warnings', '--import', path.join(here, 'loopback.mjs'), suite.server],
    {
      cwd: scratch,
      env: {
        ...process.env,
        npm_config_protocol: 'http',
        npm_config_port: '0',
        npm_config_pidfile: path.join(scratch, 'server.pid')
      }
    },
    /Listening on (http:\/\/[\d.]+:\d+)/)
  return {
    ...origin,
    stop: async () => {
      await origin.stop()
      fs.rmSync(scratch, { recursive: true, force: true })
    }
  }
}

export function startEdge (origin, config, configuration) {
  const assembly = path.join(here, '..', '..', 'src', 'CdnEdge', 'bin', configuration, 'net10.0', 'cdnedge.dll')
  if (!fs.existsSync(assembly)) {
    throw new Error(`${path.resolve(assembly)} isn't there: build it first (dotnet build -c ${configuration}).`)
  }
  const args = [assembly, 'serve', '--origin', origin, '--listen', 'http://127.0.0.1:0', '--admin', 'none']
  if (config) args.push('--config', path.join(here, config))
  return start('cdnedge', 'dotnet', args, { env: withoutSettings(process.env) }, /Now listening on: (http:\/\/[\d.]+:\d+)/)
}

/** The environment without what would configure the edge: a profile is what its file says. */
function withoutSettings (environment) {
  return Object.fromEntries(Object.entries(environment)
    .filter(([name]) => !/^(CdnEdge|ReverseProxy|Kestrel|Logging|ASPNETCORE|DOTNET_ENVIRONMENT|DOTNET_URLS)/i.test(name)))
}

function start (name, command, args, options, listening) {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const stopWithUs = () => child.kill('SIGKILL')
  process.once('exit', stopWithUs)
  const ended = new Promise(resolve => {
    child.once('exit', (code, signal) => resolve(signal ?? code))
    child.once('error', error => resolve(error.message))
  }).then(how => {
    process.removeListener('exit', stopWithUs)
    return how
  })

  return new Promise((resolve, reject) => {
    let output = ''
    let address
    const deadline = setTimeout(() => {
      stopWithUs()
      reject(new Error(`${name} said no address within ${startDeadline / 1000} s:\n${output}`))
    }, startDeadline)
    const read = piece => {
      if (output.length < 100_000) output += piece
      address ??= listening.exec(output)?.[1]
      if (address) {
        clearTimeout(deadline)
        resolve({ address, output: () => output, stop: () => { child.kill('SIGTERM'); return killAfter(child, ended) } })
      }
    }
    child.stdout.setEncoding('utf8').on('data', read)
    child.stderr.setEncoding('utf8').on('data', read)
    ended.then(how => {
      clearTimeout(deadline)
      reject(new Error(`${name} ended by itself (${how}):\n${output}`))
    })
  })
}

async function killAfter (child, ended) {
  const patience = setTimeout(() => child.kill('SIGKILL'), 10_000)
  const how = await ended
  clearTimeout(patience)
  return how
}
