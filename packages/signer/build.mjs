// Builds the signing page into dist/: the same sources give the same bytes, on every machine. `node build.mjs [directory]`.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
// biome-ignore lint/correctness/noUndeclaredDependencies: a tool of the repository, listed at its root
import { rolldown } from 'rolldown'

const here = dirname(fileURLToPath(import.meta.url))
const sha = (algorithm, bytes) => createHash(algorithm).update(bytes)
const integrity = (bytes) => `sha384-${sha('sha384', bytes).digest('base64')}`
const named = (name, ending, bytes) => `${name}-${sha('sha256', bytes).digest('hex').slice(0, 16)}.${ending}`

/** What holds for the page whoever serves it. Where it may connect to is narrowed by the header; frames can be refused by headers only. */
const COMMON = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "object-src 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
]
const META_POLICY = [...COMMON, 'connect-src https: http://localhost:* http://*.localhost:* http://127.0.0.1:*'].join('; ')

/** `{console}` stands for the origins of the control plane, separated by spaces: whoever serves the files puts them there. */
const HEADERS = {
  'Content-Security-Policy': [...COMMON, 'connect-src {console}', "frame-ancestors 'none'"].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy':
    'publickey-credentials-get=(self), publickey-credentials-create=(self), clipboard-write=(self), camera=(), microphone=(), geolocation=(), payment=(), usb=()',
  'Referrer-Policy': 'no-referrer',
  'Server-Timing': 'consoles;desc="{console}"',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}

async function bundle() {
  const build = await rolldown({ input: join(here, 'src/main.ts'), platform: 'browser', logLevel: 'warn', cwd: here })
  const { output } = await build.generate({ format: 'es', minify: true, codeSplitting: false, comments: false })
  await build.close()
  if (output.length !== 1) throw new Error(`expected one file, found ${output.map(({ fileName }) => fileName).join(', ')}`)
  return Buffer.from(output[0].code)
}

/** @returns path → bytes of everything in dist, without writing anything */
export async function buildSigner() {
  const js = await bundle()
  const css = readFileSync(join(here, 'src/style.css'))
  const [jsName, cssName] = [named('signer', 'js', js), named('signer', 'css', css)]
  const filled = {
    '{policy}': META_POLICY,
    '{css}': cssName,
    '{css-integrity}': integrity(css),
    '{js}': jsName,
    '{js-integrity}': integrity(js),
  }
  const template = readFileSync(join(here, 'index.html'), 'utf8')
  const html = Buffer.from(template.replace(/\{[a-z-]+\}/g, (name) => filled[name]))
  const served = {
    'index.html': html,
    'genesis/index.html': html, // for hosts that serve a folder; `postern signer` answers /genesis itself
    [jsName]: js,
    [cssName]: css,
    'icon.svg': readFileSync(join(here, 'icon.svg')),
  }
  const hashes = Object.fromEntries(Object.entries(served).map(([name, bytes]) => [name, sha('sha256', bytes).digest('hex')]))
  const json = (value) => Buffer.from(`${JSON.stringify(value, null, 1)}\n`)
  return { ...served, 'headers.json': json(HEADERS), 'hashes.json': json(hashes) }
}

export async function writeSigner(directory = join(here, 'dist')) {
  const files = await buildSigner()
  rmSync(directory, { recursive: true, force: true })
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), bytes)
  }
  return files
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeSigner(process.argv[2])
