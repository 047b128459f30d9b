// (3) Grants per second: POST /api/v1/grants on the embedded default, answered by a gateway, beside oidc-provider's token endpoint.
// Clients prepare (sign, seal) before the clock runs in both cases: measured is what servers do. One HTTP client, kept alive.
import { createHash, generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto'
import { Agent, request } from 'node:http'
import type { Exporter } from '@postern/core'
import { decodeBase64url, encodeBase64url, openAnswer, sealAsk, signAsk, signRequest, utf8, verifyGrant } from '@postern/core'
import { native } from '@postern/daemon'
import type { Child } from '../../fixtures/processes.ts'
import { freePorts, startNode } from '../../fixtures/processes.ts'
import { surroundings } from '../../fixtures/running-organisation.ts'
import { cpuMicros } from '../load.ts'
import type { Contestant } from '../measure.ts'
import { measure, median } from '../measure.ts'
import { peer, peerVersions } from '../peers.ts'
import type { PartReport } from '../report.ts'
import { figure, rowOf } from '../report.ts'
import type { Bench } from '../settings.ts'
import type { Stage } from '../stage.ts'
import { AGENT, GATEWAY, openStage, SERVER, TOOL } from '../stage.ts'

interface Prepared {
  readonly body: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  /** Throws unless the answer is a good one. Looked at for the first of each block. */
  readonly check: (answer: string) => void
}
interface Issuer {
  readonly name: string
  readonly url: URL
  readonly pids: Readonly<Record<string, number>>
  readonly prepare: () => Prepared
}

const now = () => Math.floor(Date.now() / 1000)
const loads = [
  { name: 'one at a time', inFlight: 1, count: 300 },
  { name: '32 at once', inFlight: 32, count: 900 },
] as const

export async function grants({ isQuick, say }: Bench): Promise<PartReport> {
  await using stack = new AsyncDisposableStack()
  const stage = stack.use(await openStage('bench-grants'))
  const issuers = [posternOf(stage), await oidcProvider(stack, stage)]
  const shares = new Map<string, string>()
  const contestants = issuers.flatMap((issuer) => loads.map((load) => contestantOf(issuer, load, shares)))
  for (const { block } of contestants) await block()
  const plan = { rounds: isQuick ? 2 : 6, extraRounds: isQuick ? 0 : 4, progress: (line: string) => say(`grants: ${line}`) }
  const results = await measure(contestants, plan)
  const rate = (issuer: string, load: string) => results.get(`${issuer}, ${load}`)!.values.grants_per_s!
  const ratio = (load: string) => rate('Postern', load) / rate('oidc-provider', load)
  return {
    title: '3. Grants per second',
    rows: [...results.values()].map(rowOf),
    ratios: Object.fromEntries(loads.map(({ name }) => [`grants/s, Postern / oidc-provider, ${name}`, ratio(name)])),
    goals: loads.map(({ name }) => ({
      name: `grants/s beside oidc-provider, ${name}`,
      value: ratio(name),
      goal: 1,
      atLeast: true,
      unit: ' ×',
    })),
    notes: [
      ...[...shares.values()],
      `oidc-provider ${peerVersions()['oidc-provider']}: client_credentials, private_key_jwt, DPoP, EdDSA JWT, in-memory store, one process, which holds its signing key`,
      'Postern: the key is at the gateway, a process of its own; each grant is two HTTP requests and an event through the control plane',
    ],
  }
}

function contestantOf(issuer: Issuer, { name: load, inFlight, count }: (typeof loads)[number], shares: Map<string, string>): Contestant {
  const name = `${issuer.name}, ${load}`
  const cpu = () => Object.values(issuer.pids).map((pid) => cpuMicros(pid) ?? 0)
  return {
    name,
    async block() {
      const requests = Array.from({ length: count }, issuer.prepare)
      const agent = new Agent({ keepAlive: true, maxSockets: inFlight }) // not kept until the next block: servers close idle connections
      const millis: number[] = []
      let next = 0
      const some = async () => {
        for (let prepared = requests[next++]; prepared; prepared = requests[next++]) {
          const started = performance.now()
          const answer = await post(agent, issuer.url, prepared)
          millis.push(performance.now() - started)
          if (prepared === requests[0]) prepared.check(answer)
        }
      }
      const before = cpu()
      const began = performance.now()
      await Promise.all(Array.from({ length: inFlight }, some))
      const seconds = (performance.now() - began) / 1000
      const after = cpu()
      agent.destroy()
      const each = Object.keys(issuer.pids).map((process, i) => `${process} ${figure((after[i]! - before[i]!) / count)}`)
      shares.set(name, `CPU µs per grant, ${name}: ${each.join(' · ')}`)
      return { grants_per_s: count / seconds, p50_ms: median(millis) }
    },
  }
}

function post(agent: Agent, url: URL, { body, headers }: Prepared): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method: 'POST', headers: { ...headers, 'content-length': body.length } }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(`${response.statusCode} ${text}`))))
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function posternOf({ control, gateway, relay: _, organisation, gatewayEdge, agent }: Stage): Issuer {
  const url = new URL('/api/v1/grants', control.url)
  const { org } = organisation
  const to = { org, gateway: GATEWAY, key: gatewayEdge.keys.seal.public }
  const issueKey = gatewayEdge.keys.issue.public
  const details = [{ type: 'mcp_tool', server: SERVER, tool: TOOL, args: [] }] as const
  const check = (answer: string, exporter: Exporter) => {
    const opened = openAnswer(decodeBase64url((JSON.parse(answer) as { answer: string }).answer), exporter, to, native)
    if ('refused' in opened) throw new Error(`refused: ${opened.refused.code}`)
    verifyGrant(opened.grant, () => issueKey, { org, now: now(), suite: native })
  }
  return {
    name: 'Postern',
    url,
    pids: { 'control plane': control.pid, gateway: gateway.pid },
    prepare() {
      const [iat, jti] = [now(), encodeBase64url(surroundings.random(16))]
      const { call, auth } = agent.keys
      const ask = { v: 1, org, iss: AGENT, kid: call.kid, aud: GATEWAY, sub: AGENT, details, jti, iat, exp: iat + 60 } as const
      const { sealed, exporter } = sealAsk(signAsk(ask, call.secret.expose(), native), to, surroundings.random, native)
      const body = utf8(JSON.stringify({ ask: encodeBase64url(sealed), gateway: GATEWAY }))
      const signer = { kid: auth.kid, seed: auth.secret.expose(), created: iat, nonce: surroundings.random(16) }
      const headers = { 'content-type': 'application/json', ...signRequest({ method: 'POST', url: url.href, body }, signer, native) }
      return { body, headers, check: (answer) => check(answer, exporter) }
    },
  }
}

async function oidcProvider(stack: AsyncDisposableStack, { home }: Stage): Promise<Issuer> {
  const [port] = await freePorts(1)
  const issuer = `http://127.0.0.1:${port}`
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const jwk = publicKey.export({ format: 'jwk' })
  const args = [String(port), JSON.stringify(jwk)]
  const child: Child = startNode('oidc-provider', peer('oidc/server.mjs'), args, { env: { ...home.env, NODE_ENV: 'production' } })
  stack.use(child)
  await child.said(/^ready$/m)
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const jws = (header: object, payload: object) => {
    const signed = `${encode(header)}.${encode(payload)}`
    return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`
  }
  const thumbprint = createHash('sha256')
    .update(JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x }))
    .digest('base64url')
  const url = new URL('/token', issuer)
  return {
    name: 'oidc-provider',
    url,
    pids: { 'oidc-provider': child.pid },
    prepare() {
      const iat = now()
      const assertion = jws({ alg: 'EdDSA' }, { iss: 'bot', sub: 'bot', aud: issuer, jti: randomUUID(), iat, exp: iat + 60 })
      const form = new URLSearchParams({
        grant_type: 'client_credentials',
        scope: 'fs:read_text_file',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      })
      const proof = { htm: 'POST', htu: url.href, jti: randomBytes(16).toString('base64url'), iat }
      const dpop = jws({ alg: 'EdDSA', typ: 'dpop+jwt', jwk: { kty: jwk.kty, crv: jwk.crv, x: jwk.x } }, proof)
      const check = (answer: string) => {
        const { access_token: token = '' } = JSON.parse(answer) as { access_token?: string }
        const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { cnf: { jkt: string } }
        if (claims.cnf.jkt !== thumbprint) throw new Error('a token for another key')
      }
      return { body: utf8(form.toString()), headers: { 'content-type': 'application/x-www-form-urlencoded', dpop }, check }
    },
  }
}
