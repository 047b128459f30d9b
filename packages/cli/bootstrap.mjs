// What every root script runs: sets up what is missing (dependencies, Node, Prisma client, build), then runs the job on Node 24.
// Plain JavaScript for Node 18 and later, without dependencies: it is the first thing that runs in a fresh clone.
// Setup speaks on stderr and only when there is something to do; stdout belongs to the job.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Interrupted, runJob } from './bootstrap/run.mjs'
import { root, SetupError, setUp } from './bootstrap/setup.mjs'

/** Root script → the file it runs, the arguments before the caller's, whether it needs the built app, and why the file may be missing. */
const jobs = {
  start: { file: 'packages/cli/src/main.ts', args: ['up'], build: true },
  test: { file: 'test/gates.ts' }, // it builds as one of its gates
  demo: { file: 'test/demo/main.ts', build: true },
  bench: { file: 'test/bench/main.ts', build: true },
  'bench:agentdojo': { file: 'test/bench/agentdojo/main.ts', build: true, missing: 'it comes with full MCP enforcement' },
  conformance: { file: 'test/conformance/main.ts', build: true },
  e2e: { file: 'test/e2e/main.ts', build: true },
  build: { build: true }, // only the setup; what the build gate of `test` runs
}

async function main([name = '', ...args]) {
  const job = Object.hasOwn(jobs, name) ? jobs[name] : undefined
  if (!job) return fail(`unknown job "${name}"; there are ${Object.keys(jobs).join(', ')}`)
  if (job.file && !existsSync(join(root, job.file))) return fail(`${name} is not built yet${job.missing ? `: ${job.missing}` : ''}`)
  const node = await setUp({ build: job.build ?? false })
  return job.file ? runJob(node, [join(root, job.file), ...(job.args ?? []), ...args], root) : 0
}

function fail(message) {
  console.error(`postern: ${message}`)
  return 1
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error) => {
    if (error instanceof Interrupted) process.exitCode = error.exitCode
    else if (error instanceof SetupError) process.exitCode = fail(error.message)
    else throw error
  },
)
