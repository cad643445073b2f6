// Runs the suite's client in a thread of its own, since it keeps its results in module state: one thread, one run.

import { parentPort, workerData } from 'node:worker_threads'
import { judge, loadTests, runClient } from './suite.mjs'

const { suite, base } = workerData
const tests = await loadTests(suite)
const results = await runClient(suite, tests, base)
parentPort.postMessage(judge(tests, results))
