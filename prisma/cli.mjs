#!/usr/bin/env node
// `npm run prisma -- <command>`: the Prisma CLI with the WASM schema engine beside this file, so that nothing is downloaded.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { node } from '../packages/cli/ensure-node.mjs'

let cli
try {
  cli = createRequire(import.meta.url).resolve('prisma/build/index.js')
} catch {
  console.error('Prisma is not installed (production install): nothing to do.')
  process.exit(0)
}
const here = dirname(fileURLToPath(import.meta.url))
const env = { CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1', ...process.env }
// Windows cannot spawn a script: there this only serves the commands that need no engine (generate, validate, format).
if (!process.env.PRISMA_NATIVE_ENGINE) env.PRISMA_SCHEMA_ENGINE_BINARY ??= `${here}/engine.mjs`
const args = process.argv.slice(2)
const config = args.includes('--config') || args.length === 0 || args[0].startsWith('-') ? [] : ['--config', `${here}/prisma.config.ts`]
const executable = node() ?? process.execPath
env.PATH = `${dirname(executable)}${delimiter}${process.env.PATH}` // engine.mjs starts by its first line, and reads TypeScript
// An installation says nothing while all is well.
const isQuiet = process.env.npm_lifecycle_event === 'postinstall'
const options = { stdio: isQuiet ? 'pipe' : 'inherit', env, cwd: dirname(here), encoding: 'utf8' }
const { status, stdout, stderr } = spawnSync(executable, [cli, ...args, ...config], options)
if (isQuiet && status !== 0) console.error(`${stdout}${stderr}`)
process.exit(status ?? 1)
