import type { AtSign, ControlClient, EdgeKey, Suite } from '@postern/core'
import { decodeBase64url, encodeBase64url, openAsk, sealAnswer, VerifyError } from '@postern/core'
import type { Log } from '@postern/daemon'
import { z } from 'zod'
import type { Issuer } from './issue.ts'

const event = z.strictObject({ id: z.string().min(1).max(64), sealed: z.string().max(32_768) })
const maxAnswersAtOnce = 64
const maxWaiting = 4_096

export interface RestDoorParts {
  readonly org: string
  readonly self: AtSign
  readonly key: EdgeKey
  readonly issuer: Issuer
  readonly client: ControlClient
  readonly suite: Suite
  readonly random: (n: number) => Uint8Array
  readonly log: Log
  /** Unix seconds. */
  readonly now: () => number
}

/** The second door for asks: sealed to this gateway, carried by the control plane's event stream, answered sealed to the asker. */
export interface RestDoor {
  /** One `ask` event as it came. Whoever carried it cannot read it, nor make one that counts. */
  onAsk(data: string): void
}

export function createRestDoor(parts: RestDoorParts): RestDoor {
  const waiting: { id: string; answer: string }[] = []
  let isPosting = false

  /** One request at a time; what is answered meanwhile goes with the next. */
  const post = async () => {
    if (isPosting) return
    isPosting = true
    while (waiting.length > 0) {
      const answers = waiting.splice(0, maxAnswersAtOnce)
      try {
        await parts.client.call('/api/v1/grants/answers', { json: { answers } })
      } catch (error) {
        parts.log.warn({ code: (error as { code?: string }).code, answers: answers.length }, 'answers could not be posted') // askers ask again
      }
    }
    isPosting = false
  }
  return {
    onAsk(data) {
      const answer = answerTo(data, parts)
      if (!answer || waiting.length >= maxWaiting) return
      waiting.push(answer)
      void post()
    },
  }
}

function answerTo(
  data: string,
  { org, self, key, issuer, suite, random, log, now }: RestDoorParts,
): { id: string; answer: string } | undefined {
  try {
    const { id, sealed } = event.parse(JSON.parse(data))
    const at = { org, gateway: self, key: key.public }
    const { ask, exporter } = openAsk(decodeBase64url(sealed), key.secret.expose(), at, suite)
    const answer = issuer.answer(ask, undefined, now())
    return { id, answer: encodeBase64url(sealAnswer(answer, exporter, at, random, suite)) }
  } catch (error) {
    // Nobody can be answered: the key for the answer is inside what did not open.
    log.warn({ code: error instanceof VerifyError ? error.code : 'MALFORMED' }, 'a sealed ask could not be opened')
    return undefined
  }
}
