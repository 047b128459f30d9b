// An access token bound to a key (RFC 9068, EdDSA) and a DPoP proof by that key (RFC 9449), verified with jose as a resource server does.
import { createHash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'

const issuer = 'https://issuer.example'
const resource = 'https://gateway.example/mcp'
const ath = (token) => createHash('sha256').update(token).digest('base64url')

/** @returns {Promise<(i: number) => Promise<void>>} Verifies the i-th of `count` calls, each with a proof of its own. */
export async function prepare(count) {
  const as = await generateKeyPair('Ed25519')
  const client = await generateKeyPair('Ed25519', { extractable: true })
  const jwk = await exportJWK(client.publicKey)
  const jkt = await calculateJwkThumbprint(jwk)
  const details = [{ type: 'mcp_tool', server: 'fs', tool: 'read_text_file', path: '/notes/' }]
  const token = await new SignJWT({ cnf: { jkt }, authorization_details: details })
    .setProtectedHeader({ alg: 'Ed25519', typ: 'at+jwt' })
    .setIssuer(issuer)
    .setAudience(resource)
    .setSubject('@bot')
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(as.privateKey)
  const proofOf = () =>
    new SignJWT({ htm: 'POST', htu: resource, ath: ath(token), jti: randomUUID() })
      .setProtectedHeader({ alg: 'Ed25519', typ: 'dpop+jwt', jwk })
      .setIssuedAt()
      .sign(client.privateKey)
  const proofs = await Promise.all(Array.from({ length: count }, proofOf))
  const seen = new Set()
  const call = { server: 'fs', tool: 'read_text_file', path: '/notes/today.md' }

  return async (i) => {
    const proof = proofs[i]
    const access = await jwtVerify(token, as.publicKey, { issuer, audience: resource, typ: 'at+jwt', algorithms: ['Ed25519'] })
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: ['Ed25519'], maxTokenAge: 300 })
    if ((await calculateJwkThumbprint(protectedHeader.jwk)) !== access.payload.cnf.jkt) throw new Error('another key')
    if (payload.htm !== 'POST' || payload.htu !== resource || payload.ath !== ath(token)) throw new Error('another request')
    if (seen.has(payload.jti)) throw new Error('replayed')
    seen.add(payload.jti)
    const allows = (d) => d.server === call.server && d.tool === call.tool && call.path.startsWith(d.path)
    if (!access.payload.authorization_details.some(allows)) throw new Error('not granted')
  }
}
