import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { checkSigner } from './check.ts'
import { readSignerDist, sha256 } from './dist.ts'
import type { SignerServer } from './serve.ts'
import { serveSigner } from './serve.ts'

const HEADERS = {
  'Content-Security-Policy': "default-src 'none'; script-src 'sha256-abc='; connect-src {console}; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
}
const PAGE = '<!doctype html><title>Signer</title>'
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'postern-signer-'))
  build(HEADERS)
})
afterAll(() => rmSync(directory, { recursive: true }))

function build(headers: object, page = PAGE, published: object = { 'index.html': sha256(Buffer.from(page)) }): void {
  const files = {
    'index.html': page,
    'signer.js': 'start()',
    'headers.json': JSON.stringify(headers),
    'hashes.json': JSON.stringify(published),
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
}

const servers: SignerServer[] = []
afterEach(async () => {
  build(HEADERS)
  for (const server of servers.splice(0)) await server.close()
})
async function serve(consoles = ['https://console.example']): Promise<string> {
  const server = await serveSigner(await readSignerDist(directory), { host: '127.0.0.1', port: 0, consoles })
  servers.push(server)
  return server.url
}
/** `fetch` tidies paths up before it sends them. */
const statusOf = (url: string, path: string) =>
  new Promise<number>((resolve, reject) => {
    const { hostname, port } = new URL(url)
    request({ hostname, port, path }, (response) => resolve(response.resume().statusCode!))
      .on('error', reject)
      .end()
  })

describe('a served signer', () => {
  test('gives the page at its two addresses, with the headers that were built with it', async () => {
    const url = await serve(['https://console.example', 'https://other.example'])
    for (const path of ['/', '/genesis', '/?x=1']) {
      const answer = await fetch(url + path)
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-security-policy')).toContain('connect-src https://console.example https://other.example;')
      expect(answer.headers.get('cross-origin-opener-policy')).toBe('same-origin')
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(await answer.text()).toBe(PAGE)
    }
  })

  test('gives its files, and nothing that lies beside or above them', async () => {
    const url = await serve()
    expect((await fetch(`${url}/signer.js`)).headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    for (const path of ['/headers.json', '/hashes.json', '/../package.json', '/%2e%2e/package.json', '//etc/passwd', '/x', '/genesis/']) {
      expect([path, await statusOf(url, path)]).toEqual([path, 404])
    }
  })

  test('refuses the page to frames and caches also where it answers an error', async () => {
    const answer = await fetch(`${await serve()}/nothing`)
    expect(answer.status).toBe(404)
    expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(answer.headers.get('cache-control')).toBe('no-cache')
  })

  test('reads only, and sets no cookie', async () => {
    const answer = await fetch(`${await serve()}/`, { method: 'POST', body: 'x' })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toBe('GET, HEAD')
    expect(answer.headers.get('set-cookie')).toBeNull()
  })

  test('goes on serving what was built when a file changes under it', async () => {
    const url = await serve()
    build(HEADERS, '<script>evil()</script>')
    expect(await (await fetch(url)).text()).toBe(PAGE)
  })

  test('on a port that is taken says so', async () => {
    const port = Number(new URL(await serve()).port)
    await expect(serveSigner(await readSignerDist(directory), { host: '127.0.0.1', port, consoles: [] })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
    })
  })
})

describe('the built files', () => {
  test('are not served when one is not what was built', async () => {
    build(HEADERS, PAGE, { 'index.html': sha256(Buffer.from('another page')) })
    await expect(readSignerDist(directory)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED', exit: 'verification' })
  })

  test('that are missing are said to be not built', async () => {
    await expect(readSignerDist(join(directory, 'nowhere'))).rejects.toMatchObject({ code: 'NOT_READY' })
  })
})

describe('comparing a signer with this installation', () => {
  test('finds the same files and headers, whatever console it serves', async () => {
    const parts = await checkSigner(await readSignerDist(directory), await serve(['https://a.example', 'https://b.example:8443']))
    expect(parts.map(({ part, state }) => [part, state])).toEqual([
      ['index.html', 'ok'],
      ['header content-security-policy', 'ok'],
      ['header cross-origin-opener-policy', 'ok'],
      ['signer.js', 'ok'],
    ])
  })

  test('finds another page', async () => {
    build(HEADERS, `${PAGE}<script>evil()</script>`, {})
    const url = await serve()
    build(HEADERS)
    const parts = await checkSigner(await readSignerDist(directory), url)
    expect(parts.find(({ part }) => part === 'index.html')).toMatchObject({ state: 'changed' })
  })

  test.each([
    ['lets it talk to anybody', { ...HEADERS, 'Content-Security-Policy': HEADERS['Content-Security-Policy'].replace('{console}', '*') }],
    [
      'adds a script',
      { ...HEADERS, 'Content-Security-Policy': HEADERS['Content-Security-Policy'].replace("'sha256-abc='", "'unsafe-inline'") },
    ],
  ])('finds a policy that %s', async (_, headers) => {
    const good = await readSignerDist(directory)
    build(headers)
    const parts = await checkSigner(good, await serve())
    expect(parts.find(({ part }) => part === 'header content-security-policy')).toMatchObject({ state: 'changed' })
  })

  test('finds what is missing', async () => {
    const good = await readSignerDist(directory)
    build({ 'Content-Security-Policy': HEADERS['Content-Security-Policy'] })
    rmSync(join(directory, 'signer.js'))
    const parts = await checkSigner(good, await serve())
    expect(parts.filter(({ state }) => state === 'missing').map(({ part }) => part)).toEqual([
      'header cross-origin-opener-policy',
      'signer.js',
    ])
  })
})
