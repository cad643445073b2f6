// Where a checkout of the suite keeps its parts, and how it counts. Two layouts exist: that of the npm package (0.4.5)
// and that of the repository since the engine moved to a folder of its own.

import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))

/** The pinned suite, or the checkout that CACHE_TESTS names. */
export function locateSuite () {
  const checkout = process.env.CACHE_TESTS
  const root = checkout ? path.resolve(checkout) : path.join(here, 'node_modules', 'http-cache-tests')
  const newLayout = fs.existsSync(path.join(root, 'test-engine'))
  const engine = newLayout ? path.join(root, 'test-engine') : root
  const server = path.join(engine, 'server', 'server.mjs')
  if (!fs.existsSync(server)) {
    throw new Error(`No cache test-suite at ${root}: run "npm ci" in tests/conformance, or name a checkout by CACHE_TESTS.`)
  }
  return { root, engine, server, newLayout, pinned: !checkout }
}

export async function loadTests (suite) {
  return (await import(pathToFileURL(path.join(suite.root, 'tests', 'index.mjs')))).default
}

/** The suite's own client, as its command line calls it; answers the results by test id: true, or [kind, message]. */
export async function runClient (suite, tests, base) {
  const { runTests, getResults } = await import(pathToFileURL(path.join(suite.engine, 'client', 'runner.mjs')))
  if (suite.newLayout) {
    await runTests(tests, false, base)
  } else {
    const { default: fetch } = await import(pathToFileURL(createRequire(suite.server).resolve('node-fetch')))
    await runTests(tests, fetch, false, base)
  }
  return getResults()
}

/**
 * One line per test that a shared cache is measured by: { id, kind, name, passed, why }. A test whose dependency
 * failed hasn't passed, whatever came of it; tests for browsers only are left out.
 */
export function judge (suites, results) {
  const tests = new Map(suites.flatMap(suite => suite.tests).map(test => [test.id, test]))

  const passed = id => results[id] === true && (tests.get(id)?.depends_on ?? []).every(passed)

  const why = test => {
    const result = results[test.id]
    if (result === undefined) return 'not run'
    if (result !== true) return `${result[0]}: ${result[1]}`
    return `depends on ${test.depends_on.filter(id => !passed(id)).join(', ')}`
  }

  return [...tests.values()]
    .filter(test => test.browser_only !== true)
    .map(test => ({
      id: test.id,
      kind: test.kind ?? 'required',
      name: test.name,
      passed: passed(test.id),
      why: passed(test.id) ? '' : why(test)
    }))
}
