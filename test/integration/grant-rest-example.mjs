// Asks a Postern gateway for a grant over HTTP, with public libraries only: jose, @hpke/*, node:crypto and fetch. No code of Postern's.
// Step by step: packages/core/spec/seal.md §4. Run it with `node grant-rest-example.mjs question.json`; the file holds the parameter
// of `requestGrant`. Organisation and gateway keys come from an authority log that you have verified, never from the control plane.
import { createDecipheriv, createHash, createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305'
import { CipherSuite, HkdfSha256 } from '@hpke/core'
import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519'
import { CompactSign, compactVerify } from 'jose'

/**
 * @typedef {object} Question
 * @property {string} controlUrl Address of the control plane.
 * @property {string} org The organisation: 43 characters.
 * @property {{ atsign: string, callSeed: string, authSeed: string }} agent Its seeds: 32 bytes each, base64url.
 * @property {{ atsign: string, issueKey: string, sealKey: string }} gateway Its public keys: 32 bytes each, base64url.
 * @property {object[]} details What to be granted, e.g. `[{ type: 'mcp_tool', server: 'fs', tool: 'read_text_file', args: [] }]`.
 * @property {string} [intent] What for, in words: for people.
 */

/**
 * Asks for a grant and verifies the one that comes back.
 * @param {Question} question
 * @returns {Promise<{ token: string, grant: any }>} The grant as a token, and what it says.
 */
export async function requestGrant({ controlUrl, org, agent, gateway, details, intent }) {
  const [callKey, authKey] = [privateKey(agent.callSeed), privateKey(agent.authSeed)]
  const now = Math.floor(Date.now() / 1000)
  const iss = agent.atsign
  const kid = keyId(rawPublic(callKey))
  const jti = randomBytes(16).toString('base64url')
  const ask = { v: 1, org, iss, kid, aud: gateway.atsign, sub: iss, details, jti, iat: now, exp: now + 60, ...(intent ? { intent } : {}) }
  const token = await new CompactSign(utf8(canonical(ask))).setProtectedHeader({ alg: 'Ed25519', typ: 'postern-ask+jwt' }).sign(callKey)

  const { sealed, open } = await sealTo(gateway, org, token)
  const body = canonical({ ask: sealed, gateway: gateway.atsign })
  const answer = await post(new URL('/api/v1/grants', controlUrl), body, authKey)
  const { grant, refused } = JSON.parse(await open(answer))
  if (refused) throw new Error(`${refused.code}: ${refused.message}`)
  return { token: grant, grant: await verifyGrant(grant, { org, gateway, agent: iss, kid }) }
}

/** HPKE to the gateway's seal key; the answer comes back under a key that only the two of us can export. */
async function sealTo(gateway, org, token) {
  const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Chacha20Poly1305() })
  const raw = Buffer.from(gateway.sealKey, 'base64url')
  const aad = utf8(`${org}.${gateway.atsign}.${keyId(raw)}`)
  const recipientPublicKey = await suite.kem.importKey('raw', raw, true)
  const sender = await suite.createSenderContext({ recipientPublicKey, info: utf8('postern-ask-v1') })
  const sealed = Buffer.concat([Buffer.from(sender.enc), Buffer.from(await sender.seal(utf8(token), aad))])
  const open = async (answer) => {
    const bytes = Buffer.from(answer, 'base64url')
    const key = Buffer.from(await sender.export(utf8('postern-answer-v1'), 32))
    const cipher = createDecipheriv('chacha20-poly1305', key, bytes.subarray(0, 12), { authTagLength: 16 })
    cipher.setAAD(aad, { plaintextLength: bytes.length - 28 })
    cipher.setAuthTag(bytes.subarray(-16))
    return Buffer.concat([cipher.update(bytes.subarray(12, -16)), cipher.final()]).toString('utf8')
  }
  return { sealed: sealed.toString('base64url'), open }
}

/** An HTTP request signed as packages/core/spec/request.md says. */
async function post(url, body, authKey) {
  const created = Math.floor(Date.now() / 1000)
  const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
  const parameters =
    `("@method" "@authority" "@path" "@query" "content-digest");created=${created};expires=${created + 60}` +
    `;nonce="${randomBytes(16).toString('base64url')}";keyid="${keyId(rawPublic(authKey))}";alg="ed25519";tag="postern-v1"`
  const base = [
    '"@method": POST',
    `"@authority": ${url.host}`,
    `"@path": ${url.pathname}`,
    `"@query": ${url.search || '?'}`,
    `"content-digest": ${digest}`,
    `"@signature-params": ${parameters}`,
  ].join('\n')
  const headers = {
    'content-type': 'application/json',
    'content-digest': digest,
    'signature-input': `postern=${parameters}`,
    signature: `postern=:${sign(null, utf8(base), authKey).toString('base64')}:`,
  }
  const response = await fetch(url, { method: 'POST', headers, body })
  const json = await response.json()
  if (!response.ok) throw new Error(`${response.status} ${json.error?.code}: ${json.error?.message}`)
  return json.answer
}

const GRANT_HEADER = Buffer.from('{"alg":"Ed25519","typ":"postern-grant+jwt"}').toString('base64url')

/** Believes nothing of the control plane: header, signature of the gateway, and that the grant is ours, from this gateway, and in time. */
async function verifyGrant(token, { org, gateway, agent, kid }) {
  if (!token.startsWith(`${GRANT_HEADER}.`)) throw new Error('not a grant')
  const issueKey = { kty: 'OKP', crv: 'Ed25519', alg: 'Ed25519', x: gateway.issueKey }
  const { payload } = await compactVerify(token, issueKey, { algorithms: ['Ed25519'] })
  const text = Buffer.from(payload).toString('utf8')
  const grant = JSON.parse(text)
  const now = Math.floor(Date.now() / 1000)
  const checks = {
    'is canonical': canonical(grant) === text,
    'is of version 1': grant.v === 1,
    'is of this organisation': grant.org === org,
    'is from this gateway': grant.iss === gateway.atsign && grant.aud === gateway.atsign,
    'is signed by the key it names': grant.kid === keyId(Buffer.from(gateway.issueKey, 'base64url')),
    'is for this agent': grant.sub === agent && grant.cnf.jkt === kid,
    'is in time': grant.nbf - 120 <= now && now < grant.exp + 120,
  }
  for (const [what, holds] of Object.entries(checks)) if (!holds) throw new Error(`the grant does not hold: ${what}`)
  return grant
}

const utf8 = (text) => new TextEncoder().encode(text)
const keyId = (raw) => createHash('sha256').update(raw).digest('base64url')
const rawPublic = (key) => Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x, 'base64url')

/** A 32-byte Ed25519 seed, in the DER that node:crypto takes (RFC 8410). */
function privateKey(seed) {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'base64url')])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

/** RFC 8785 for what occurs here: strings, integers, lists and objects. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`
}

if (import.meta.main) {
  const question = JSON.parse(await readFile(process.argv[2], 'utf8'))
  console.log(JSON.stringify(await requestGrant(question), null, 2))
}
