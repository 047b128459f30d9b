// The signing page as it is served: small, the same bytes each time, and held in by its headers.
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'

type Files = Readonly<Record<string, Buffer>>
let files: Files
let again: Files
beforeAll(async () => {
  const { buildSigner } = (await import('../packages/signer/build.mjs' as string)) as { buildSigner(): Promise<Files> }
  files = await buildSigner()
  again = await buildSigner()
})
const text = (name: string) => files[name]!.toString('utf8')
const named = (ending: string) => Object.keys(files).find((name) => name.endsWith(ending))!
const digest = (algorithm: string, name: string, encoding: 'hex' | 'base64') => createHash(algorithm).update(files[name]!).digest(encoding)

test('the same sources give the same bytes', () => {
  expect(Object.keys(again)).toEqual(Object.keys(files))
  for (const [name, bytes] of Object.entries(files)) expect(again[name]!.equals(bytes), name).toBe(true)
})

test('all its JavaScript is at most 130 kB, compressed', () => {
  const sizes = Object.keys(files)
    .filter((name) => name.endsWith('.js'))
    .map((name) => gzipSync(files[name]!, { level: 9 }).length)
  expect(sizes).toHaveLength(1)
  expect(sizes[0]).toBeLessThan(130_000)
})

test('every served file stands in the list of hashes, and nothing else', () => {
  const hashes = JSON.parse(text('hashes.json')) as Record<string, string>
  const served = Object.keys(files).filter((name) => name !== 'hashes.json' && name !== 'headers.json')
  expect(Object.keys(hashes).sort()).toEqual(served.sort())
  for (const name of served) expect(hashes[name]).toBe(digest('sha256', name, 'hex'))
})

describe('the page', () => {
  test('loads one script and one style sheet, both by hash, and nothing of anybody else', () => {
    const page = text('index.html')
    const [js, css] = [named('.js'), named('.css')]
    expect(page).toContain(`<script type="module" src="/${js}" integrity="sha384-${digest('sha384', js, 'base64')}">`)
    expect(page).toContain(`href="/${css}" integrity="sha384-${digest('sha384', css, 'base64')}"`)
    expect(page.match(/<script/g)).toHaveLength(1)
    expect(page).not.toMatch(/(?:src|href)="(?!\/[a-z])/)
    expect(page).not.toMatch(/<style|style=|<script>|onload=|\{[a-z-]+\}/)
    expect(text('genesis/index.html')).toBe(page)
  })

  test('builds its screens without ever parsing HTML, and keeps no cookie', () => {
    const script = text(named('.js'))
    for (const sink of [
      'innerHTML',
      'outerHTML',
      'insertAdjacentHTML',
      'document.write',
      'DOMParser',
      'eval(',
      'new Function',
      'document.cookie',
      'postMessage',
      '.opener',
    ]) {
      expect(script.includes(sink), sink).toBe(false)
    }
  })
})

/** Directive → its sources. */
const policyOf = (policy: string) => new Map(policy.split('; ').map((part) => [part.split(' ')[0]!, part.split(' ').slice(1).join(' ')]))

describe('the headers', () => {
  const headers = () => JSON.parse(text('headers.json')) as Record<string, string>

  test('allow code from nowhere else, connections to the console only, and no frame', () => {
    const policy = policyOf(headers()['Content-Security-Policy']!)
    expect(Object.fromEntries(policy)).toMatchObject({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'connect-src': '{console}',
      'frame-ancestors': "'none'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'require-trusted-types-for': "'script'",
      'trusted-types': "'none'",
    })
    expect(headers()['Content-Security-Policy']).not.toMatch(/unsafe|\*|data:|blob:/)
    expect(headers()).toMatchObject({
      'Cross-Origin-Opener-Policy': 'same-origin',
      'X-Frame-Options': 'DENY',
      'Referrer-Policy': 'no-referrer',
    })
  })

  test('name the console where the page can read it, and the page itself is the same everywhere', () => {
    expect(headers()['Server-Timing']).toBe('consoles;desc="{console}"')
    expect(text('index.html')).not.toContain('{console}')
  })

  test('are repeated in the page, as far as a page can', () => {
    const [, meta = ''] = /Content-Security-Policy" content="([^"]+)"/.exec(text('index.html')) ?? []
    const [inPage, inHeader] = [policyOf(meta), policyOf(headers()['Content-Security-Policy']!)]
    for (const [name, sources] of inHeader) {
      if (name !== 'frame-ancestors' && name !== 'connect-src') expect([name, inPage.get(name)]).toEqual([name, sources])
    }
  })
})
