import type { AtSign, AuthorityMirror, ChannelMessage, MessageHeader, SignedJson } from '@postern/core'
import { decodeUtf8, encodeSigned, refusals } from '@postern/core'
import type { Log } from '@postern/daemon'
import type { Keeper } from './authority/keeper.ts'
import type { AuthorityView } from './authority/view.ts'
import type { Runner } from './calls/runner.ts'
import type { Issuer } from './grants/issue.ts'
import type { Channel } from './link/channel.ts'
import type { ChannelEvents } from './link/channels.ts'
import type { Sessions } from './session/sessions.ts'

export interface DeskParts {
  readonly view: AuthorityView
  readonly keeper: Keeper
  readonly sessions: Sessions
  readonly runner: Runner
  readonly issuer: Issuer
  readonly epoch: () => string
  readonly mirror: AuthorityMirror
  readonly log: Log
  /** Unix seconds. */
  readonly now: () => number
}

/** What may wait for the comparison of heads to end. */
const maxWaiting = 256
const maxWaitingBytes = 16 << 20

/** What is said on channels, by type: to whom each message goes. */
export function createDesk(parts: DeskParts): ChannelEvents {
  const greetings = new Map<Channel, { messages: ChannelMessage[]; bytes: number }>()

  const handle = (channel: Channel, message: ChannelMessage): void => {
    if (message.type === 'ASK') ask(channel, message.header.rid, message.body, parts)
    else if (message.type === 'OPEN') open(channel, message.header.sid, message.header.server, parts)
    else if (message.type === 'CLOSE') parts.sessions.close(channel.agent, message.header.sid)
    else if (message.type === 'MESSAGE') pass(channel, message.header.sid, message.body, parts)
    else if (message.type === 'CALL') call(channel, message.header, message.body, parts)
  }
  const greet = async (channel: Channel, header: MessageHeader<'HELLO'>) => {
    const waiting = { messages: [] as ChannelMessage[], bytes: 0 }
    greetings.set(channel, waiting)
    const greeting = await parts.keeper.greet(header)
    greetings.delete(channel)
    if (channel.hasEnded) return
    if (greeting === 'end') return channel.end('NOT_ADMITTED')
    for (const message of waiting.messages) handle(channel, message)
  }
  return {
    onOpen(channel) {
      const hello = helloOf(parts)
      if (hello) channel.send('HELLO', hello)
      parts.log.info({ agent: channel.agent }, 'channel is open')
    },
    onMessage(channel, message) {
      if (message.type === 'HELLO') {
        greet(channel, message.header).catch((err) => {
          parts.log.warn({ err, agent: channel.agent }, 'channel ended: its log head makes no sense')
          channel.end('BROKEN')
        })
        return
      }
      const waiting = greetings.get(channel)
      if (!waiting) return handle(channel, message)
      waiting.bytes += message.body.length
      if (waiting.messages.length >= maxWaiting || waiting.bytes > maxWaitingBytes) return channel.end('TOO_MANY')
      waiting.messages.push(message)
    },
    onEnd(channel, reason) {
      greetings.delete(channel)
      parts.sessions.leave(channel)
      parts.log.info({ agent: channel.agent, reason }, 'channel has ended')
    },
  }
}

function helloOf({ mirror, epoch, now }: DeskParts): MessageHeader<'HELLO'> | undefined {
  const { state } = mirror.snapshot
  const statement = mirror.headStatement
  if (!state || !statement) return undefined
  const signed: SignedJson = encodeSigned(statement)
  return {
    v: 1,
    log: { seq: state.seq, head: state.head },
    head: signed,
    revocations: mirror.revocationsDigest().digest,
    now: now(),
    epoch: epoch(),
  }
}

function ask(channel: Channel, rid: string, body: Uint8Array, { issuer, now }: DeskParts): void {
  const answer = issuer.answer(decodeUtf8(body), channel.agent, now())
  if ('grant' in answer) channel.send('GRANT', { rid }, Buffer.from(answer.grant))
  else channel.send('GRANT', { rid, error: answer.refused })
}

function open(channel: Channel, sid: string, server: string, { sessions }: DeskParts): void {
  const opened = sessions.open(channel, sid, server)
  if ('session' in opened) return void channel.send('OPENED', { sid })
  const { title, fix } = refusals[opened.refused]
  channel.send('OPENED', { sid, error: { code: opened.refused, message: opened.why ?? title, fix } })
}

/** Everything but tool calls. It may not reach a server while nothing may be asked of it at all. */
function pass(channel: Channel, sid: string, body: Uint8Array, { sessions, view, now }: DeskParts): void {
  const session = sessions.get(channel.agent, sid)
  if (session?.channel !== channel) return unknownSession(channel, sid)
  session.fromClient(body, view.trouble('read', now()))
}

function call(channel: Channel, header: MessageHeader<'CALL'>, body: Uint8Array, { sessions, runner, log }: DeskParts): void {
  const session = sessions.get(channel.agent, header.sid)
  if (session?.channel !== channel) return unknownSession(channel, header.sid)
  runner
    .handle(channel, session, header, body)
    .catch((err) => log.error({ err, agent: channel.agent as AtSign }, 'a call failed in a way it should not'))
}

function unknownSession(channel: Channel, sid: string): void {
  const { title, fix } = refusals.SESSION_UNKNOWN
  channel.send('REFUSED', { sid, code: 'SESSION_UNKNOWN', message: title, fix })
}
