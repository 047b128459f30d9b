import type {
  AtSign,
  Identity,
  KeyId,
  Needed,
  PublicKey,
  RevocationSignerRequest,
  Signature,
  State,
  StatementSignerRequest,
} from '@postern/core'
import { comparisonWords, decodeBase64url, decodeSigned, encodeBase64url, keyIdOf, lookAlikes, neededFor, showText } from '@postern/core'
import type { App } from '../app.ts'
import { clientOf } from '../app.ts'
import type { Authority } from '../authority/authority.ts'
import { ControlRefusal } from '../authority/net.ts'
import { SignerError } from '../errors.ts'
import type { Gate } from '../page/decide.ts'
import { decide } from '../page/decide.ts'
import type { Child } from '../page/element.ts'
import { el } from '../page/element.ts'
import { actions, button, card, chip, countdown, facts, notice, record, sentenceList, stages, tick, wordList } from '../page/parts.ts'
import type { Found, Prepared, ReadyStatement } from '../signing/prepare.ts'
import { prepareRevocation, prepareStatement } from '../signing/prepare.ts'
import { sign } from '../signing/sign.ts'
import { words } from '../words.ts'
import { meet } from './organisation.ts'
import { backLink, backOf, closeButton, showCancelled } from './refusal.ts'

/** What the control plane says about what waits under an id. Its word, but for the bytes, which are compared with the request. */
interface Waiting {
  readonly status: string
  readonly bytes?: string
  readonly signatures?: readonly Signature[]
  readonly created_by?: string
  readonly created?: number
  readonly exp?: number
  readonly reason?: string
  /** Reported by a machine or the console: shown as such, signed by nobody. */
  readonly code_by?: string
  readonly facts?: { readonly [name: string]: unknown }
  readonly policy?: string
}

/** A statement or a revocation that waits for signatures: fetched, compared, shown, signed, handed in. */
export async function waitingScreen(app: App, request: StatementSignerRequest | RevocationSignerRequest): Promise<void> {
  const again = () => waitingScreen(app, request)
  const waiting = await fetchWaiting(app, request)
  if (waiting.status !== 'open' || waiting.bytes === undefined) return showDecided(app, request, waiting)
  const found = foundIn(waiting)
  const authority = await meet(app, request.control, request.org, { request: request.id })
  const pin = { state: authority.state, now: app.now(), suite: app.around.suite }
  const ready = request.kind === 'statement' ? prepareStatement(request, found, pin) : undefined
  const prepared = ready?.prepared ?? prepareRevocation(request as RevocationSignerRequest, found, pin)
  const known = await app.device.memory.known(request.org)
  const by = signersFor(authority.state, ready?.needed, known?.me)
  const view = ready
    ? await statementParts(app, ready, authority, waiting)
    : { title: prepared.sentences[0]!, gates: [], parts: [], onDifferent: undefined }
  const label = ready?.enrolment ? words.waiting.approve(by.me) : words.waiting.sign(by.me)
  const { state } = authority
  const panel = decide<'signed' | 'refused'>({
    sign: {
      label,
      async run() {
        const signature = await sign(prepared, { ...by, site: state.site, passkeys: app.passkeys, suite: app.around.suite })
        await handIn(app, request, ready, prepared, signature, state)
        return 'signed'
      },
    },
    other: {
      label: words.waiting.refuse,
      ungated: true,
      async run() {
        await refuse(app, request, words.waiting.refusedReason)
        return 'refused'
      },
    },
    gates: view.gates,
    say: app.page.say,
  })
  const left = ready && countdown(Math.min(ready.nva, waiting.exp ?? ready.nva), 3_600, app.now, () => void again())
  if (view.onDifferent) void view.onDifferent.then(() => differ(app, request))
  app.page.show({
    ...{ over: ready ? words.waiting.overStatement : words.waiting.overRevocation, title: view.title },
    body: [
      left && el('p', { class: 'left' }, words.left, ' ', left.element),
      authority.late !== undefined && notice('warn', words.waiting.lateTitle, words.waiting.late(authority.late)),
      view.parts,
      card(words.waiting.what, sentenceList(prepared.sentences.slice(1)), record(prepared)),
      reported(waiting),
      panel.element,
    ],
  })
  const outcome = await panel.done
  left?.stop()
  if (outcome === 'cancelled') return showCancelled(app, backOf(request), () => void again())
  if (outcome === 'refused') return showRefused(app, request)
}

const fetchWaiting = (app: App, { control, id }: StatementSignerRequest | RevocationSignerRequest): Promise<Waiting> =>
  clientOf(app, control).call<Waiting>(`/api/v1/requests/${encodeURIComponent(id)}`)

/** @throws {SignerError} BAD_ANSWER */
function foundIn({ bytes = '', signatures = [] }: Waiting): Found {
  try {
    return decodeSigned({ bytes, signatures } as never)
  } catch (cause) {
    throw new SignerError('BAD_ANSWER', (cause as Error).message, { cause })
  }
}

/** Whose passkeys may answer: the person's who signed here last, or those of everybody whose signature would count. */
export function signersFor(state: State, needed: Needed | undefined, me: AtSign | undefined) {
  const counts = needed ? countingKeys(state, needed) : passkeysOf([...state.identities.values()].filter(({ kind }) => kind === 'person'))
  const mine = me ? passkeysOf([state.identities.get(me)].filter((identity) => identity !== undefined)) : []
  const counted = mine.filter((key) => counts.some((other) => other.credential === key.credential))
  if (counts.length === 0) throw new SignerError('NOT_COUNTED')
  const ask = counted.length > 0 ? counted : counts.length <= MAX_ASKED ? counts : []
  return { ask, keys: counts, ...(counted.length > 0 && me ? { me } : {}) }
}

/** Some authenticators take no longer list. */
const MAX_ASKED = 20

const passkeysOf = (identities: readonly Identity[]): readonly PublicKey[] =>
  identities.flatMap(({ keys }) => keys.filter((key) => key.use === 'sign' && key.alg === 'webauthn-es256'))

function countingKeys(state: State, { parts }: Needed): readonly PublicKey[] {
  const atsigns = new Set(parts.flatMap((part) => (part.by === 'admins' ? part.candidates : [])))
  const kids = new Set<KeyId>(parts.flatMap((part) => (part.by === 'key' ? [part.kid] : [])))
  const all = passkeysOf([...state.identities.values()])
  const admins = passkeysOf([...state.identities.values()].filter(({ atsign }) => atsigns.has(atsign)))
  return [...new Set([...admins, ...all.filter((key) => kids.has(keyIdOf(key)))])]
}

async function statementParts(app: App, ready: ReadyStatement, { state }: Authority, waiting: Waiting) {
  const gates: Gate[] = []
  const parts: Child[] = []
  const title = ready.prepared.sentences[0]!.replace(/\.$/, '')
  const earlier = (await app.device.memory.signedAt(state.org, ready.seq)).filter((hash) => hash !== ready.hash)
  if (earlier.length > 0) parts.push(secondStatement(ready, gates))
  if (ready.policy) parts.push(policyPart(ready.policy, waiting, app))
  if (!ready.enrolment) return { title, gates, parts, onDifferent: undefined }
  const { promise: onDifferent, resolve: differ } = Promise.withResolvers<void>()
  parts.push(enrolmentPart(ready.enrolment, state, gates, differ))
  return { title: `${title}: ${ready.enrolment.request.atsign}`, gates, parts, onDifferent }
}

/** Two statements for one place: either may take effect, and the control plane chooses which edges see first. */
function secondStatement({ seq }: ReadyStatement, gates: Gate[]): Child {
  let isTicked = false
  const gate: Gate = { isOpen: () => isTicked, reason: words.waiting.secondReason }
  gates.push(gate)
  const box = tick(words.waiting.secondTick, (next) => {
    isTicked = next
    gate.onChange?.()
  })
  return notice('warn', words.waiting.secondTitle(seq), words.waiting.second, box)
}

function enrolmentPart(
  { request, bytes }: NonNullable<ReadyStatement['enrolment']>,
  state: State,
  gates: Gate[],
  onDifferent: () => void,
): Child {
  let doMatch = false
  const gate: Gate = { isOpen: () => doMatch, reason: words.waiting.compareReason }
  gates.push(gate)
  const said = el('p', { class: 'compared', role: 'status' })
  const match = button(words.waiting.match, {
    onClick() {
      doMatch = true
      match.setAttribute('aria-pressed', 'true')
      said.textContent = words.waiting.matched
      gate.onChange?.()
    },
  })
  match.setAttribute('aria-pressed', 'false')
  const different = button(words.waiting.different, { kind: 'danger', onClick: onDifferent })
  const alike = lookAlikes(request.atsign, state)
  return card(
    words.waiting.compareTitle(request.kind),
    el(
      'p',
      {},
      chip(request.atsign),
      ' ',
      words.waiting.asks(request.kind),
      request.owner && [' ', words.waiting.for, ' ', chip(request.owner)],
    ),
    wordList(comparisonWords(state.org, bytes), words.waiting.compareLabel),
    actions(different, match),
    said,
    alike.length > 0
      ? notice(
          'warn',
          words.waiting.alikeTitle(request.atsign),
          el(
            'ul',
            { class: 'plain' },
            ...alike.map((other) => el('li', {}, chip(other.atsign), ` ${words.waiting.alike(other.kind, other.how)}`)),
          ),
        )
      : el('p', { class: 'fine' }, words.waiting.noneAlike(state.name)),
  )
}

/** The document itself, if it came along: it is the one whose hash is signed, or it is not shown. */
function policyPart(sha256: string, { policy }: Waiting, app: App): Child {
  const bytes = policy === undefined ? undefined : decoded(policy)
  if (!bytes || encodeBase64url(app.around.suite.sha256(bytes)) !== sha256)
    return notice('warn', words.waiting.noPolicyTitle, words.waiting.noPolicy)
  const text = new TextDecoder().decode(bytes)
  return card(
    words.waiting.policy,
    el('p', { class: 'fine' }, words.waiting.policyText(bytes.length)),
    el('pre', { class: 'document', tabindex: 0, 'aria-label': words.waiting.policy }, text),
  )
}

function decoded(text: string): Uint8Array | undefined {
  try {
    return decodeBase64url(text)
  } catch {
    return undefined
  }
}

/** Never part of what is signed: whoever wrote it may lie. */
function reported({ facts: told = {}, code_by: codeBy, created_by: by, created }: Waiting): Child {
  const rows = Object.entries(told).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'number'
      ? [[showText(name.slice(0, 40)), showText(String(value).slice(0, 200))] as const]
      : [],
  )
  const all = [
    ...rows,
    ...(codeBy ? [[words.waiting.codeBy, codeBy.slice(0, 60)] as const] : []),
    ...(by ? [[words.waiting.draftedBy, by.slice(0, 60)] as const] : []),
    ...(created ? [[words.waiting.draftedAt, new Date(created * 1000).toLocaleString()] as const] : []),
  ]
  if (all.length === 0) return undefined
  return card(words.waiting.reported, el('p', { class: 'fine' }, words.waiting.reportedText), facts(all))
}

/** @throws {SignerError} NOT_COUNTED, TAKEN; {ControlRefusal} */
async function handIn(
  app: App,
  request: StatementSignerRequest | RevocationSignerRequest,
  ready: ReadyStatement | undefined,
  prepared: Prepared,
  signature: Signature,
  state: State,
): Promise<void> {
  const who = state.keys.get(signature.kid)?.atsign
  if (ready) {
    const { parts } = neededFor({ bytes: prepared.bytes, signatures: [signature] }, state, app.around.suite)
    const counts = parts.some((part) => (part.by === 'key' ? part.met : part.signed.length > 0))
    if (!counts) throw new SignerError('NOT_COUNTED', who ?? '')
    await app.device.memory.recordSigned(state.org, ready.seq, ready.hash)
  }
  const known = await app.device.memory.known(state.org)
  if (known && who) await app.device.memory.remember({ ...known, me: who })
  const done = stages()
  app.page.show({ title: words.waiting.handingIn, body: done.element })
  done.add('done', words.waiting.signedAt(new Date().toLocaleTimeString()))
  done.add('now', words.waiting.sending)
  const json = { signatures: [signature] }
  try {
    const answer = await clientOf(app, request.control).call<{ status: string; seq?: number }>(
      `/api/v1/requests/${encodeURIComponent(request.id)}/signatures`,
      { json },
    )
    const isWhole = answer.status !== 'open'
    done.add('done', isWhole ? (ready ? words.waiting.inLog(ready.seq) : words.waiting.revoked) : words.waiting.needsMore)
    app.page.show({
      ...{ kind: 'done', over: words.waiting.doneOver, title: isWhole ? words.waiting.doneTitle : words.waiting.moreTitle },
      lead: isWhole ? words.waiting.doneText : words.waiting.moreText,
      body: [done.element, actions(closeButton(), backLink(backOf(request)))],
    })
    app.page.say(isWhole ? words.waiting.doneTitle : words.waiting.moreTitle)
  } catch (error) {
    if (error instanceof ControlRefusal && error.code === 'ALREADY_DECIDED')
      return showDecided(app, request, await fetchWaiting(app, request))
    if (error instanceof ControlRefusal && error.code === 'CONFLICT') throw new SignerError('TAKEN', error.message, { cause: error })
    throw error
  }
}

async function refuse(app: App, request: StatementSignerRequest | RevocationSignerRequest, reason: string): Promise<void> {
  await clientOf(app, request.control).call(`/api/v1/requests/${encodeURIComponent(request.id)}/refuse`, { json: { reason } })
}

function showRefused(app: App, request: StatementSignerRequest | RevocationSignerRequest): void {
  app.page.show({
    title: words.waiting.refusedTitle,
    lead: words.waiting.refusedText,
    body: actions(closeButton(), backLink(backOf(request))),
  })
}

/** Different words: somebody stands in between, or two requests were mixed up. */
async function differ(app: App, request: StatementSignerRequest | RevocationSignerRequest): Promise<void> {
  const done = stages()
  app.page.show({
    ...{ kind: 'refused', title: words.waiting.differTitle, lead: words.waiting.differText },
    body: [done.element, actions(closeButton(), backLink(backOf(request)))],
  })
  done.add('now', words.waiting.sending)
  try {
    await refuse(app, request, words.waiting.differReason)
    done.add('done', words.waiting.differDone)
  } catch (error) {
    done.add('failed', words.waiting.differFailed((error as Error).message))
  }
}

function showDecided(app: App, request: StatementSignerRequest | RevocationSignerRequest, { status, reason }: Waiting): void {
  const { title, text } = words.decided[status as keyof typeof words.decided] ?? words.decided.other
  app.page.show({
    ...{ title, lead: text },
    body: [
      reason ? notice('info', words.waiting.reasonGiven, reason.slice(0, 300)) : undefined,
      actions(closeButton(), backLink(backOf(request))),
    ],
  })
}
