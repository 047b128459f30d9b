import { decodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { VerifyError } from '../errors.ts'
import type { AtSign } from '../key/atsign.ts'
import type { HandshakeKeys } from './noise.ts'
import { NoiseInitiator, NoiseResponder } from './noise.ts'
import { Session } from './session.ts'

const NOTHING = new Uint8Array(0)
const ZERO = Uint8Array.of(0)

/**
 * What both ends must already agree on: version, organisation and who talks to whom.
 * @param org 43 base64url characters.
 * @see packages/core/spec/channel.md §2
 */
export const channelPrologue = (org: string, agent: AtSign, gateway: AtSign): Uint8Array =>
  concatBytes(utf8('postern-channel-v1\0'), decodeBase64url(org), utf8(agent), ZERO, utf8(gateway))

export interface Initiator {
  /** Noise message 1: the content of an INIT packet. */
  readonly message: Uint8Array
  /**
   * Reads message 2. Once only.
   * @throws {VerifyError} BAD_HANDSHAKE when the responder does not hold `remoteStatic`, or anything was changed on the way
   */
  finish(message2: Uint8Array): Session
}

/**
 * Begins a channel. The responder's key must come from verified authority state: a wrong one here means talking to somebody else.
 * @param keys.remoteStatic The gateway's `channel` key, 32 bytes.
 * @throws {VerifyError} BAD_HANDSHAKE for a `remoteStatic` of small order
 */
export function createInitiator(keys: HandshakeKeys & { readonly remoteStatic: Uint8Array }): Initiator {
  const noise = new NoiseInitiator(keys, keys.remoteStatic)
  const message = noise.writeMessage1(NOTHING)
  const once = onceOnly()
  return {
    message,
    finish(message2) {
      once()
      const { payload, split } = noise.readMessage2(message2)
      refusePayload(payload)
      return new Session(split.toResponder, split.toInitiator, split.handshakeHash, keys.remoteStatic)
    },
  }
}

export interface Responder {
  /**
   * Reads message 1. Once only. Whoever sent it holds the secret of the key returned, or somebody replayed such a message: it is
   * proven fresh only by the first fragment that opens. Does NOT check whom the key belongs to.
   * @returns The initiator's static key, to be compared with the one enrolled for the agent named in the prologue.
   * @throws {VerifyError} BAD_HANDSHAKE
   */
  read(message1: Uint8Array): Uint8Array
  /** Message 2, the content of a RESPONSE packet, and the session. Only after `read`, once, and only if the key is the right one. */
  respond(): { readonly message: Uint8Array; readonly session: Session }
}

/** Waits for a channel. The prologue names the agent, so who it claims to be is known before: from its address at the relay. */
export function createResponder(keys: HandshakeKeys): Responder {
  const noise = new NoiseResponder(keys)
  const readOnce = onceOnly()
  const respondOnce = onceOnly()
  let remoteStatic: Uint8Array | undefined
  return {
    read(message1) {
      readOnce()
      const { payload, remoteStatic: found } = noise.readMessage1(message1)
      refusePayload(payload)
      remoteStatic = found
      return found
    },
    respond() {
      if (!remoteStatic) throw new TypeError('respond() before read()')
      respondOnce()
      const { message, split } = noise.writeMessage2(NOTHING)
      return { message, session: new Session(split.toInitiator, split.toResponder, split.handshakeHash, remoteStatic) }
    },
  }
}

/** A payload of message 1 could be replayed, and one of message 2 has no meaning: neither may carry anything. */
function refusePayload(payload: Uint8Array): void {
  if (payload.length > 0) throw new VerifyError('BAD_HANDSHAKE', 'a handshake message carries no payload')
}

function onceOnly(): () => void {
  let used = false
  return () => {
    if (used) throw new TypeError('a handshake is made once')
    used = true
  }
}
