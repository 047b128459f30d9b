// The import rules of README.md, checked. If this fails, the design changed: change both, on purpose.
// It is evidence, not a sandbox: an import built at run time escapes it.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

/** Place → packages of ours it may import by value, and, in addition, by `import type`. */
const places: Record<string, { values: readonly string[]; types?: readonly string[] }> = {
  'packages/core': { values: [] },
  'packages/daemon': { values: [] },
  'packages/signer': { values: ['@postern/core'] }, // no other package of ours runs where a person signs
  'packages/relay': { values: ['@postern/core/frame', '@postern/core/key', '@postern/daemon'] }, // cannot open what it carries
  'packages/log': { values: ['@postern/core', '@postern/daemon'] },
  'packages/gateway': { values: ['@postern/core', '@postern/daemon'] },
  'packages/connector': { values: ['@postern/core', '@postern/daemon'] },
  'packages/control': { values: ['@postern/core', '@postern/daemon'] },
  'packages/cli': {
    values: ['core', 'daemon', 'gateway', 'connector', 'relay', 'log'].map((name) => `@postern/${name}`),
    types: ['@postern/control'], // started as a child process, or spoken to over HTTP
  },
  'app/_server': { values: ['@postern/core', '@postern/control'] },
  'app/api': { values: ['@postern/core', '@postern/control'] },
  app: { values: ['@postern/core'], types: ['@postern/control'] },
}
/** Place → what it must not reach by any path of value imports. */
const unreachable: Record<string, readonly string[]> = {
  'packages/relay': ['packages/core/src/session/', 'packages/core/src/seal/', '@noble/ciphers'],
}
const root = join(import.meta.dirname, '..')
const isTest = /\.(?:test|conformance)\.tsx?$/
const isGenerated = /\/generated\//
const files = globSync('{app,packages/*/src}/**/*.{ts,tsx}', { cwd: root }).filter((f) => !isTest.test(f) && !isGenerated.test(f))
const source = new Map(files.map((f) => [f, readFileSync(join(root, f), 'utf8')]))
const owner = (file: string) =>
  Object.keys(places)
    .filter((place) => file.startsWith(`${place}/`))
    .sort((a, b) => b.length - a.length)[0] ?? 'unknown'

type Manifest = {
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  exports?: Record<string, string | { default: string }>
}
const manifests = new Map<string, Manifest>()
function manifest(place: string): Manifest {
  const path = join(root, place.startsWith('app') ? '.' : place, 'package.json')
  const known = manifests.get(path) ?? (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {})
  manifests.set(path, known)
  return known
}

const NAMES = String.raw`(?:[\w$]+\s*,\s*)?(?:\{[^}]*\}|\*(?:\s+as\s+[\w$]+)?|[\w$]+)` // a default, a list, a star
const VALUE = new RegExp(
  String.raw`^(?:import|export)\s+(?!type\s+[\w{*])(?:${NAMES}\s*from\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]`,
  'gm',
)
const TYPE = new RegExp(String.raw`^(?:import|export)\s+type\s+${NAMES}\s*from\s*['"]([^'"]+)['"]`, 'gm')
const imports = (file: string, kind: RegExp) => [...(source.get(file) ?? '').matchAll(kind)].map((m) => (m[1] ?? m[2])!)

const packageName = (specifier: string) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')

/** The file of ours a specifier leads to, or the npm package's own name. */
function target(from: string, specifier: string): string {
  if (specifier.startsWith('.')) return relative(root, join(root, dirname(from), specifier))
  const [, name, rest] = /^@postern\/([^/]+)(.*)$/.exec(specifier) ?? []
  if (!name) return packageName(specifier)
  const entry = manifest(`packages/${name}`).exports?.[`.${rest}`] ?? 'not exported'
  return join('packages', name, typeof entry === 'string' ? entry : entry.default)
}

function checkImport(file: string, specifier: string, allowed: readonly string[], declared: Record<string, string> = {}) {
  const place = owner(file)
  const to = target(file, specifier)
  if (specifier.startsWith('node:')) return
  if (specifier.startsWith('.')) {
    const stays = place.startsWith('app') ? owner(to).startsWith('app') : owner(to) === place
    expect(stays, `${file} reaches into ${to}`).toBe(true)
    return
  }
  if (specifier.startsWith('@postern/')) {
    const isAllowed = allowed.some((a) => specifier === a || specifier.startsWith(`${a}/`))
    expect(isAllowed, `${file} must not import ${specifier}`).toBe(true)
    expect(source.has(to), `${file} imports ${specifier}, which is not exported`).toBe(true)
  }
  const name = packageName(specifier)
  expect(declared, `${file} uses ${name}, which its package.json does not list`).toHaveProperty([name])
}

const withoutComments = (code: string) => code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')

describe('imports', () => {
  test.each(files)('%s imports only what its place allows', (file) => {
    const { values, types = [] } = places[owner(file)] ?? { values: [] }
    const { dependencies, devDependencies } = manifest(owner(file))
    for (const specifier of imports(file, VALUE)) checkImport(file, specifier, values, dependencies)
    const erased = { ...devDependencies, ...dependencies }
    for (const specifier of imports(file, TYPE)) checkImport(file, specifier, [...values, ...types], erased)
  })

  test.each(Object.entries(unreachable))('%s reaches nothing it must not, however far around', (place, forbidden) => {
    const reached = new Map(files.filter((f) => owner(f) === place).map((f) => [f, f]))
    for (const [file, path] of reached) {
      const next = imports(file, VALUE).map((specifier) => target(file, specifier))
      for (const to of next) if (!reached.has(to)) reached.set(to, `${path} → ${to}`)
    }
    const bad = [...reached].filter(([to]) => forbidden.some((f) => to.startsWith(f))).map(([, path]) => path)
    expect(bad).toEqual([])
  })
})

describe('cycles', () => {
  const links = files.map((f) => {
    const targets = imports(f, VALUE).map((specifier) => target(f, specifier))
    return [f, targets.filter((to) => source.has(to))] as const
  })

  function expectNoCycle(edges: ReadonlyMap<string, readonly string[]>) {
    const done = new Set<string>()
    const visit = (node: string, path: readonly string[]): void => {
      if (done.has(node)) return
      expect(path, `import cycle: ${[...path, node].join(' → ')}`).not.toContain(node)
      for (const next of edges.get(node) ?? []) visit(next, [...path, node])
      done.add(node)
    }
    for (const node of edges.keys()) visit(node, [])
  }

  test('no two files import each other, however far around', () => expectNoCycle(new Map(links)))

  test('folders of core form a ladder', () => {
    const folder = (file: string) => file.split('/').slice(0, 4).join('/')
    const edges = new Map<string, string[]>()
    for (const [file, targets] of links) {
      if (owner(file) !== 'packages/core' || file.split('/').length <= 4) continue
      const others = targets.map(folder).filter((to) => to !== folder(file))
      edges.set(folder(file), [...(edges.get(folder(file)) ?? []), ...others])
    }
    expectNoCycle(edges)
  })
})

/** `console` is also a field of our protocol: its methods give the global away (which does not compile in core either). */
const IMPURE = /\bDate\b|Math\.random|\bconsole\s*\.\s*(?:assert|count|debug|dir|error|group|info|log|table|time|trace|warn)\b/

describe('contents', () => {
  test.each(files)('%s keeps to itself', (file) => {
    const code = withoutComments(source.get(file)!)
    if (owner(file) === 'packages/core') expect(code).not.toMatch(IMPURE)
    if (!file.endsWith('/config.ts')) expect(code).not.toMatch(/\bprocess\.env\b/)
  })

  test.each(globSync('packages/*', { cwd: root }))('%s is in the table and has a README of at most 40 lines', (place) => {
    expect(places).toHaveProperty([place])
    expect(existsSync(join(root, place, 'README.md')), `${place}/README.md is missing`).toBe(true)
    const lines = readFileSync(join(root, place, 'README.md'), 'utf8')
      .trimEnd()
      .split('\n')
    expect(lines.length).toBeLessThanOrEqual(40)
  })
})
