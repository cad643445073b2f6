// Runs the public HTTP cache test-suite against the real `cdnedge serve`; see README.md.
//
//   node run.mjs [--configuration Debug] [--json FILE] [PROFILE...]

import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { startEdge, startOrigin } from './processes.mjs'
import { locateSuite } from './suite.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))

const profiles = {
  default: { says: 'just --origin, the safe defaults', config: null },
  'by-the-book': { says: 'a policy that stores whatever RFC 9111 lets a cache store', config: 'by-the-book.json' }
}

// What the pinned suite holds: if it ever runs fewer, the figures below aren't what they say they are.
const pinnedCounts = { required: 157, optimal: 86 }

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    configuration: { type: 'string', default: 'Release' },
    json: { type: 'string' }
  }
})
const chosen = positionals.length > 0 ? positionals : Object.keys(profiles)
for (const name of chosen.filter(name => !(name in profiles))) {
  console.error(`No profile "${name}"; there are: ${Object.keys(profiles).join(', ')}.`)
  process.exit(2)
}

const suite = locateSuite()
const total = { passed: 0, failed: 0, skipped: 0 }
const verdicts = {}
for (const name of chosen) {
  verdicts[name] = await runProfile(name, profiles[name])
  const counted = compareWithList(name, verdicts[name])
  for (const key of Object.keys(total)) total[key] += counted[key]
}
if (options.json) fs.writeFileSync(options.json, JSON.stringify(verdicts, null, 2) + '\n')
console.log(`conformance: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = total.failed === 0 ? 0 : 1

async function runProfile (name, profile) {
  console.log(`== ${name}: ${profile.says}`)
  const origin = await startOrigin(suite)
  try {
    const edge = await startEdge(origin.address, profile.config, options.configuration)
    try {
      return report(await client(edge.address))
    } finally {
      await edge.stop()
    }
  } finally {
    await origin.stop()
  }
}

function client (base) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('client.mjs', import.meta.url), { workerData: { suite, base } })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', code => reject(new Error(`The suite's client ended without results (${code}).`)))
  })
}

function report (tests) {
  for (const kind of ['required', 'optimal']) {
    const these = tests.filter(test => test.kind === kind)
    console.log(`${kind}: ${these.filter(test => test.passed).length}/${these.length}`)
    if (suite.pinned && these.length !== pinnedCounts[kind]) {
      throw new Error(`The pinned suite has ${pinnedCounts[kind]} ${kind} tests, not ${these.length}: is it the pinned one?`)
    }
  }
  // 'check' tests ask what a cache does, not whether it's right.
  const measured = tests.filter(test => test.kind === 'required' || test.kind === 'optimal')
  for (const test of measured.filter(test => !test.passed)) {
    console.log(`  ${test.kind} ${test.id}: ${test.why}`)
  }
  return measured
}

/**
 * A test outside the list must pass, one in the list must not: either way the list is the truth. It was made for the
 * pinned suite; of another version only what it requires and the list doesn't have counts as failed.
 */
function compareWithList (name, tests) {
  const file = `expected-failures.${name}.json`
  const expected = JSON.parse(fs.readFileSync(path.join(here, file), 'utf8'))
  const missed = tests.filter(test => !test.passed)
  const unlisted = missed.filter(test => !(test.id in expected))
  const failures = unlisted
    .filter(test => suite.pinned || test.kind === 'required')
    .map(test => `${test.id} (${test.name}): ${test.why}`)
  if (suite.pinned) {
    for (const id of Object.keys(expected)) {
      const test = tests.find(test => test.id === id)
      if (!test) failures.push(`${file} lists ${id}, which the suite doesn't have`)
      else if (test.passed) failures.push(`${id} passes: take it out of ${file}`)
    }
  }
  for (const failure of failures) console.log(`FAILED ${failure}`)
  const passed = tests.filter(test => test.passed && !(suite.pinned && test.id in expected)).length
  return { passed, failed: failures.length, skipped: missed.length - unlisted.length }
}
