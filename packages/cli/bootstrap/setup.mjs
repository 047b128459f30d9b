// What a clone needs before a job can run, each with a cheap test whether it is there. Nothing to do costs a few dozen milliseconds.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isInstalled, node, npmScript, wanted } from '../ensure-node.mjs'
import { withLock } from './lock.mjs'
import { environment, runStep } from './run.mjs'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const at = (...path) => join(root, ...path)

/** Setup could not be completed; the message says why and what to do. */
export class SetupError extends Error {}

/** In this order: title, test, and the command (evaluated when it is needed, so that it can use the steps before). */
const steps = [
  {
    title: `Node.js ${wanted} into .node (this machine has ${process.version})`,
    isDone: () => node() !== undefined,
    command: () => [process.execPath, at('packages/cli/ensure-node.mjs')],
    explain: (output) => output,
  },
  {
    title: 'dependencies (npm ci)',
    isDone: isInstalled,
    command: () => [process.execPath, npm(), 'ci', '--no-audit', '--no-fund', '--loglevel=error'],
    explain: explainInstall,
  },
  {
    title: 'database client (prisma generate)',
    isDone: () => modifiedAt(generated) >= newest(at('prisma/schema')),
    command: () => [node(), at('prisma/cli.mjs'), 'generate'],
    after: () => utimesSync(generated, new Date(), new Date()),
    explain: (output) => `${output}\nThe schema in prisma/schema does not generate a client.`,
  },
  {
    title: 'signing page (rolldown)',
    isBuild: true,
    isDone: () => existsSync(at('packages/signer/dist/index.html')) && readIfThere(signerStamp) === hashOf(signerSources),
    before: (state) => {
      state.sources = hashOf(signerSources)
    },
    command: () => [node(), at('packages/signer/build.mjs')],
    after: (state) => writeFileSync(signerStamp, state.sources),
    explain: (output) => `${output}\nThe signing page does not build.`,
  },
  {
    title: 'console (next build)',
    isBuild: true,
    isDone: () => readBuild() === buildOf(hashOf(sources)),
    before: (state) => {
      state.sources = hashOf(sources) // as they are when the build begins: what changes meanwhile is built the next time
    },
    command: () => [node(), at('node_modules/next/dist/bin/next'), 'build'],
    after: (state) => writeFileSync(buildStamp, buildOf(state.sources)),
    explain: (output) => `${output}\nThe app does not build.`,
  },
]

/** Does what is missing, one process at a time, and returns the Node to run the job on. */
export async function setUp({ build }) {
  const needed = steps.filter((step) => build || !step.isBuild)
  if (needed.every((step) => step.isDone())) return node()
  const onWait = (pid) => console.error(`postern: waiting for process ${pid}, which is setting up this clone`)
  await withLock(at('.node/setup.lock'), onWait, async () => {
    for (const step of needed) if (!step.isDone()) await perform(step)
  })
  return node()
}

async function perform(step) {
  const state = {}
  step.before?.(state)
  const [command, ...args] = step.command()
  const env = environment(node() ?? process.execPath, root)
  const { code, output } = await showing(step.title, () => runStep(command, args, { cwd: root, env }))
  if (code !== 0) throw new SetupError(`${step.title} failed (exit code ${code}).\n${step.explain(output.trim())}`)
  step.after?.(state)
}

/** One line per step: its title at once, its seconds when it is done (counting on a terminal). */
async function showing(title, work) {
  const started = performance.now()
  const seconds = (digits) => ((performance.now() - started) / 1000).toFixed(digits)
  const isTerminal = process.stderr.isTTY
  process.stderr.write(`postern: ${title} … `)
  const tick = isTerminal && setInterval(() => process.stderr.write(`\rpostern: ${title} … ${seconds(0)} s`), 1000)
  try {
    return await work()
  } finally {
    clearInterval(tick)
    process.stderr.write(`${isTerminal ? `\rpostern: ${title} … ` : ''}${seconds(1)} s\n`)
  }
}

function npm() {
  const script = npmScript()
  if (!script) throw new SetupError('npm was not found beside this Node.js or on PATH: install npm 10 or later, or run `npm ci` yourself.')
  return script
}

/** npm's own words, and what to do about the usual causes. */
function explainInstall(output) {
  const causes = [
    [
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|network/i,
      'The npm registry cannot be reached: check the network, the proxy, and `npm config get registry`.',
    ],
    [/EUSAGE/, 'package.json and package-lock.json disagree: run `npm install`, look at the change, and commit it.'],
    [/ENOSPC/, 'The disk is full: an installation needs about 1.5 GB.'],
    [/EACCES|EPERM/, 'This user may not write here: check who owns this directory and node_modules.'],
    [/EINTEGRITY/, 'A download does not match package-lock.json: run `npm cache verify`, and do not ignore it if it stays.'],
  ]
  const fix = causes.find(([pattern]) => pattern.test(output))?.[1] ?? 'Run `npm ci` by itself to see more.'
  return `${output.split('\n').slice(-25).join('\n')}\n${fix}`
}

const generated = at('packages/control/src/db/generated/client.ts')
const buildStamp = at('.next/postern-build')

/** What the build is made of. The app imports core and control, control imports daemon; `test/architecture.test.ts` keeps that true. */
const sources = [
  ...['app', 'public', 'prisma/schema', 'prisma/migrations', 'next.config.ts', 'instrumentation.ts', 'proxy.ts'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', '.node-version'],
  ...['core', 'control', 'daemon'].flatMap((name) => [`packages/${name}/src`, `packages/${name}/package.json`]),
]
const isNoSource = (path) => /\.test\.tsx?$|\/db\/generated(\/|$)|\.md$/.test(path)

/** The signing page is made of core and its own files. */
const signerSources = [
  ...['src', 'build.mjs', 'index.html', 'icon.svg'].map((name) => `packages/signer/${name}`),
  ...['packages/core/src', 'packages/core/package.json', 'package-lock.json'],
]
const signerStamp = at('packages/signer/dist.stamp')

function hashOf(paths) {
  const hash = createHash('sha256')
  for (const source of paths)
    for (const file of filesIn(at(source)))
      hash
        .update(`${relative(root, file)}\0`)
        .update(readFileSync(file))
        .update('\0')
  return hash.digest('hex')
}

/** The stamp names the sources and the build in .next, so that a build by other hands counts as none of ours. */
const buildOf = (hash) => `${hash} ${readIfThere(at('.next/BUILD_ID')) ?? 'none'}\n`
const readBuild = () => (existsSync(at('.next/BUILD_ID')) ? readIfThere(buildStamp) : undefined)

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** The files at or below a path, in a fixed order; none when it does not exist. */
function filesIn(path) {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found || isNoSource(path)) return []
  if (!found.isDirectory()) return [path]
  const names = readdirSync(path).sort()
  return names.flatMap((name) => filesIn(join(path, name)))
}

const modifiedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
const newest = (directory) => Math.max(modifiedAt(directory), ...readdirSync(directory).map((name) => modifiedAt(join(directory, name))))
