import { concatBytes, utf8 } from '../bytes/bytes.ts'

const CONTEXT = utf8('postern-relay-v1\0')
const ZERO = Uint8Array.of(0)

/**
 * What a peer signs with its `auth` key to be let in: the host it dialled, itself, and the relay's nonce. A peer signs only if
 * `host` is the one in its own URL, so that no relay can pass another's challenge on.
 * @param host As in the URL and in HTTP's Host header: `relay.example.com` or `localhost:3002`.
 * @param org 32 bytes. @param kid SHA-256 of the peer's public key, 32 bytes. @param nonce 32 bytes.
 * @see packages/core/spec/frame.md §3
 */
export function challengeBytes(host: string, org: Uint8Array, kid: Uint8Array, nonce: Uint8Array): Uint8Array {
  for (const part of [org, kid, nonce]) if (part.length !== 32) throw new RangeError('org, kid and nonce have 32 bytes each')
  return concatBytes(CONTEXT, utf8(host), ZERO, org, kid, nonce)
}
