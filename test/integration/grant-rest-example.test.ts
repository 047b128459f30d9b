import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { AtSign, GrantAnswer, PublicKey } from '@postern/core'
import {
  decodeBase64url,
  ed25519PublicKey,
  encodeBase64url,
  keyIdOf,
  openAsk,
  parseRequestSignature,
  portable,
  sealAnswer,
  signGrant,
  verifyAsk,
  verifyRequest,
  x25519PublicKey,
} from '@postern/core'
import { expect, test } from 'vitest'
import { requestGrant } from './grant-rest-example.mjs'

const random = (n: number) => crypto.getRandomValues(new Uint8Array(n))
const [org, epoch] = [encodeBase64url(random(32)), encodeBase64url(random(16))]
const [agent, gateway] = ['@ci' as AtSign, '@files-gw' as AtSign]
const seeds = { call: random(32), auth: random(32), issue: random(32), seal: random(32) }
const ed25519 = (use: 'call' | 'auth' | 'issue'): PublicKey => ({ use, alg: 'ed25519', key: encodeBase64url(ed25519PublicKey(seeds[use])) })
const [callKey, authKey, issueKey] = [ed25519('call'), ed25519('auth'), ed25519('issue')]
const sealKey: PublicKey = { use: 'seal', alg: 'x25519', key: encodeBase64url(x25519PublicKey(seeds.seal)) }
const address = { org, gateway, key: sealKey }
const details = [{ type: 'mcp_tool', server: 'fs', tool: 'read_text_file', args: [{ arg: 'path', is: { prefix: '/notes' } }] }]
const nowSeconds = () => Math.floor(Date.now() / 1000)

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of request) parts.push(part)
  return new Uint8Array(Buffer.concat(parts))
}

/** Control plane and gateway in one, of our own library: they check all that the real ones check of the bytes. */
async function serve(answerWith: (ask: ReturnType<typeof verifyAsk>) => GrantAnswer, spoil = (answer: Uint8Array) => answer) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, `http://${request.headers.host}`)
    const target = { method: request.method!, authority: url.host, path: url.pathname, query: url.search }
    const body = await bodyOf(request)
    expect(parseRequestSignature(request.headers).kid).toBe(keyIdOf(authKey))
    verifyRequest({ ...target, body, headers: request.headers }, authKey, { now: nowSeconds(), suite: portable })
    expect(url.pathname).toBe('/api/v1/grants')
    const sent = JSON.parse(new TextDecoder().decode(body))
    expect(sent.gateway).toBe(gateway)
    const { ask, exporter } = openAsk(decodeBase64url(sent.ask), seeds.seal, address, portable)
    const context = { org, now: nowSeconds(), suite: portable, audience: gateway }
    const verified = verifyAsk(
      ask,
      (iss, kid, use) => (iss === agent && kid === keyIdOf(callKey) && use === 'call' ? callKey : undefined),
      context,
    )
    const answer = spoil(sealAnswer(answerWith(verified), exporter, address, random, portable))
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ answer: encodeBase64url(answer) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

const question = (controlUrl: string) => ({
  controlUrl,
  org,
  agent: { atsign: agent, callSeed: encodeBase64url(seeds.call), authSeed: encodeBase64url(seeds.auth) },
  gateway: { atsign: gateway, issueKey: issueKey.key, sealKey: sealKey.key },
  details,
  intent: 'Read the notes',
})

function grantFor(ask: ReturnType<typeof verifyAsk>, change: object = {}, seed = seeds.issue): GrantAnswer {
  const digest = encodeBase64url(new Uint8Array(32))
  const granted = ask.details.map((detail) => ({ ...detail, schema: digest }))
  const times = { nbf: nowSeconds(), exp: nowSeconds() + 60 }
  const who = { v: 1 as const, org, iss: gateway, kid: keyIdOf(issueKey), aud: gateway, sub: ask.sub, cnf: { jkt: ask.kid }, jti: ask.jti }
  const rest = { epoch, log: { seq: 3, head: digest }, pol: digest, authorization_details: granted }
  return { grant: signGrant({ ...who, ...rest, ...times, ...change }, seed, portable) }
}

test('public libraries alone get a grant and verify it', async () => {
  let intent: string | undefined
  await using server = await serve((ask) => {
    intent = ask.intent
    return grantFor(ask)
  })
  const { grant, token } = await requestGrant(question(server.url))
  expect(intent).toBe('Read the notes')
  expect(grant.authorization_details).toMatchObject(details)
  expect(token.split('.')).toHaveLength(3)
})

test('a refusal reaches the asker as a sentence', async () => {
  await using server = await serve(() => ({ refused: { code: 'POLICY_DENIED', message: 'no rule allows it' } }))
  await expect(requestGrant(question(server.url))).rejects.toThrow('POLICY_DENIED: no rule allows it')
})

test.each([
  ['for another agent', { sub: '@other' as AtSign }],
  ['for another key', { cnf: { jkt: keyIdOf(authKey) } }],
  ['of another gateway', { iss: '@db-gw' as AtSign, aud: '@db-gw' as AtSign }],
  ['of another organisation', { org: encodeBase64url(new Uint8Array(32)) }],
  ['that has ended', { nbf: nowSeconds() - 400, exp: nowSeconds() - 300 }],
])('a grant %s is refused', async (_, change) => {
  await using server = await serve((ask) => grantFor(ask, change))
  await expect(requestGrant(question(server.url))).rejects.toThrow('does not hold')
})

test('a grant that the gateway did not sign is refused', async () => {
  await using server = await serve((ask) => grantFor(ask, {}, random(32)))
  await expect(requestGrant(question(server.url))).rejects.toThrow('signature verification failed')
})

test('an answer that was changed on the way does not open', async () => {
  const spoil = (answer: Uint8Array) => answer.with(20, answer[20]! ^ 1)
  await using server = await serve((ask) => grantFor(ask), spoil)
  await expect(requestGrant(question(server.url))).rejects.toThrow()
})

test('the example imports nothing of ours', () => {
  const source = readFileSync(join(import.meta.dirname, 'grant-rest-example.mjs'), 'utf8')
  const imported = [...source.matchAll(/^import .* from '([^']+)'$/gm)].map((match) => match[1]!)
  expect(imported.filter((name) => !/^(?:node:|@hpke\/|jose$)/.test(name))).toEqual([])
})
