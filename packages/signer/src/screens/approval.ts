import type { ApprovalSignerRequest, AtSign, KeyResolver, PublicKey, Signature, VerifiedHeld } from '@postern/core'
import {
  approvalWords,
  decodeBase64url,
  encodeSigned,
  keyIdOf,
  liveKey,
  openHold,
  readHeld,
  showArguments,
  showText,
  VerifyError,
} from '@postern/core'
import type { App } from '../app.ts'
import { clientOf } from '../app.ts'
import type { Authority } from '../authority/authority.ts'
import { ControlRefusal } from '../authority/net.ts'
import { SignerError } from '../errors.ts'
import { openSealKey } from '../keys/open-seal.ts'
import type { Gate } from '../page/decide.ts'
import { decide } from '../page/decide.ts'
import type { Child } from '../page/element.ts'
import { el } from '../page/element.ts'
import { actions, button, card, chip, countdown, facts, field, notice, record, sentenceList, stages, wordList } from '../page/parts.ts'
import type { Prepared } from '../signing/prepare.ts'
import { prepareApproval } from '../signing/prepare.ts'
import { sign } from '../signing/sign.ts'
import { words } from '../words.ts'
import { meet } from './organisation.ts'
import type { Back } from './refusal.ts'
import { backLink, backOf, closeButton, showCancelled } from './refusal.ts'

/** A held call as the control plane knows it: never its arguments. */
interface Held {
  readonly id: string
  readonly status: string
  readonly gateway: AtSign
  readonly agent: AtSign
  readonly server: string
  readonly tool: string
  readonly risk: string
  readonly cth: string
  readonly approvers: readonly AtSign[]
  readonly held: number
  readonly deadline: number
  readonly by?: string
  readonly reason?: string
  readonly code?: string
  readonly outcome?: string
  readonly ms?: number
  readonly content?: string
  readonly sealed: readonly { readonly kid: string; readonly bytes: string }[]
}

const pathOf = ({ id }: ApprovalSignerRequest) => `/api/v1/approvals/${encodeURIComponent(id)}`

/** One held call: opened with a seal key of this person, verified against the log, shown whole, decided once. */
export async function approvalScreen(app: App, request: ApprovalSignerRequest): Promise<void> {
  const again = () => approvalScreen(app, request)
  const held = await clientOf(app, request.control).call<Held>(pathOf(request))
  if (held.status !== 'waiting' || held.content === undefined) return showEnded(app, request, held)
  const authority = await meet(app, request.control, request.org, { approval: request.id })
  const me = await mine(app, authority, held)
  const opened = await open(app, request, held, authority, me)
  await show(app, request, opened, authority, me, again)
}

/** The passkeys that may decide: the person's who signed here last, if among the approvers, else those of all approvers. */
async function mine(app: App, { state }: Authority, { approvers }: Held) {
  const known = await app.device.memory.known(state.org)
  const keysOf = (atsign: AtSign): readonly PublicKey[] =>
    (state.identities.get(atsign)?.keys ?? []).filter((key) => key.use === 'sign' && key.alg === 'webauthn-es256')
  const me = known?.me && approvers.includes(known.me) && keysOf(known.me).length > 0 ? known.me : undefined
  const keys = approvers.flatMap(keysOf)
  if (keys.length === 0) throw new SignerError('NOT_COUNTED')
  return { me, keys, ask: me ? keysOf(me) : keys.length <= 20 ? keys : [] }
}
type Mine = Awaited<ReturnType<typeof mine>>

async function open(
  app: App,
  request: ApprovalSignerRequest,
  held: Held,
  { state, genesisNonce }: Authority,
  me: Mine,
): Promise<VerifiedHeld> {
  const { org, id } = request
  const { passkeys, around } = app
  const kept = await app.device.sealSeeds.find(held.sealed.map(({ kid }) => kid))
  if (!kept) await explainOpening(app, held)
  const kids = held.sealed.map(({ kid }) => kid)
  const { key, secret } = await openSealKey({
    ...{ rpId: state.site.rpId, kids, ask: me.ask, genesisNonce, passkeys, sealSeeds: app.device.sealSeeds, random: around.random },
  })
  const { gateway, cth, content = '' } = held
  try {
    const sealed = held.sealed.find(({ kid }) => kid === keyIdOf(key))!
    const inside = openHold(
      { content: decodeBase64url(content), key: decodeBase64url(sealed.bytes) },
      secret,
      { org, gateway, cth, key },
      around.suite,
    )
    const resolve: KeyResolver = (iss, kid) => liveKey(state, iss, kid, 'receipt')
    return readHeld(inside, { id, gateway, cth }, resolve, { org, now: app.now(), suite: around.suite })
  } catch (error) {
    if (error instanceof VerifyError && error.code === 'CANNOT_OPEN') throw new SignerError('CANNOT_OPEN', '', { cause: error })
    if (error instanceof VerifyError) throw new SignerError('INVALID', `${error.code}: ${error.message}`, { cause: error })
    throw error
  }
}

/** The passkey is asked once to open and once to sign; each time it is said before. */
async function explainOpening(app: App, held: Held): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  app.page.show({
    ...{ over: held.risk.toUpperCase(), title: `${showText(held.tool)}`, lead: words.approval.sealedLead },
    body: [
      facts([
        [words.approval.agent, chip(held.agent)],
        [words.approval.gateway, chip(held.gateway)],
        [words.approval.server, showText(held.server)],
      ]),
      notice('info', words.approval.sealedTitle, words.approval.sealed),
      actions(button(words.approval.open, { kind: 'primary', onClick: resolve })),
    ],
  })
  await promise
}

async function show(
  app: App,
  request: ApprovalSignerRequest,
  opened: VerifiedHeld,
  authority: Authority,
  me: Mine,
  again: () => Promise<void>,
) {
  const { hold } = opened
  const { state } = authority
  const pin = { state, now: app.now(), suite: app.around.suite }
  const approve = prepareApproval(opened, 'approve', pin)
  let refuse = prepareApproval(opened, 'refuse', pin)
  const args = showArguments(opened.arguments)
  const end = el('div', { class: 'end', 'aria-hidden': 'true' })
  const gate = readToTheEnd(end)
  const reason = field(words.approval.reason, { hint: words.approval.reasonHint, maxlength: '280' })
  const refusal = el('div', { class: 'fine' })
  const drawRefusal = () => refusal.replaceChildren(refuse.sentences[0]!, record(refuse))
  reason.input.addEventListener('input', () => {
    const text = reason.input.value.trim().normalize('NFC')
    try {
      refuse = prepareApproval(opened, 'refuse', { ...pin, now: app.now() }, text || undefined)
      reason.setWrong('')
    } catch {
      reason.setWrong(words.approval.reasonWrong)
    }
    drawRefusal()
  })
  drawRefusal()
  const signing = (prepared: () => Prepared) => async () => {
    const shown = prepared()
    const signature = await sign(shown, { site: state.site, keys: me.keys, ask: me.ask, passkeys: app.passkeys, suite: app.around.suite })
    return { prepared: shown, signature }
  }
  const panel = decide<{ prepared: Prepared; signature: Signature }>({
    sign: { label: words.approval.approve, run: signing(() => approve) },
    other: { label: words.approval.refuse, run: signing(() => refuse), isSigned: true, ungated: true },
    gates: [gate],
    say: app.page.say,
  })
  const left = countdown(hold.exp, hold.exp - hold.iat, app.now, () => void again())
  app.page.show({
    ...{
      over: `${hold.risk.toUpperCase()} · ${words.approval.over}`,
      title: showText(hold.tool),
      lead: hold.title && words.approval.titled(showText(hold.title)),
    },
    body: [
      el('p', { class: 'left' }, words.left, ' ', left.element),
      card(
        undefined,
        facts([
          [words.approval.agent, [chip(hold.agent), hold.owner ? [' ', words.waiting.for, ' ', chip(hold.owner)] : undefined]],
          [words.approval.gateway, [chip(hold.iss), `, ${words.approval.server} `, showText(hold.server)]],
          [words.approval.why, words.approval.rule(showText(hold.policy), showText(hold.rule), hold.line)],
          [words.approval.may, hold.approvers.join(', ')],
        ]),
      ),
      card(words.approval.arguments(args.length), argumentList(args), end),
      hold.intent && card(words.approval.says, el('blockquote', {}, showText(hold.intent))),
      card(words.approval.words, wordList(approvalWords(hold.org, hold.cth), words.approval.words)),
      card(words.waiting.what, sentenceList(approve.sentences), record(approve)),
      el('details', { class: 'record' }, el('summary', {}, words.approval.other), reason.element, refusal),
      panel.element,
    ],
  })
  gate.watch()
  const outcome = await panel.done
  left.stop()
  gate.stop()
  if (outcome === 'cancelled') return showCancelled(app, backOf(request), () => void again())
  await handIn(app, request, outcome.prepared, outcome.signature, authority)
}

/** Values are never shortened, and what would not be seen is. */
function argumentList(args: ReturnType<typeof showArguments>): Child {
  if (args.length === 0) return el('p', {}, words.approval.noArguments)
  const row = ({ name, text, hidden }: (typeof args)[number]) =>
    el(
      'div',
      hidden ? { class: 'hidden-inside' } : {},
      el('dt', {}, name),
      el('dd', {}, el('code', {}, text), hidden && el('span', { class: 'hidden-mark' }, `! ${words.approval.hidden}`)),
    )
  return el('dl', { class: 'arguments' }, ...args.map(row))
}

/** Approve does nothing before the end of the arguments was on the screen. */
function readToTheEnd(end: HTMLElement): Gate & { watch(): void; stop(): void } {
  let wasSeen = false
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return
    wasSeen = true
    observer.disconnect()
    gate.onChange?.()
  })
  const gate: Gate & { watch(): void; stop(): void } = {
    isOpen: () => wasSeen,
    reason: words.approval.scroll,
    watch: () => observer.observe(end),
    stop: () => observer.disconnect(),
  }
  return gate
}

async function handIn(
  app: App,
  request: ApprovalSignerRequest,
  prepared: Prepared,
  signature: Signature,
  { state }: Authority,
): Promise<void> {
  const who = state.keys.get(signature.kid)?.atsign
  const known = await app.device.memory.known(state.org)
  if (known && who) await app.device.memory.remember({ ...known, me: who })
  const done = stages()
  app.page.show({ title: words.approval.handingIn, body: [done.element, actions(closeButton(), backLink(backOf(request)))] })
  done.add('done', words.waiting.signedAt(new Date().toLocaleTimeString()))
  done.add('now', words.waiting.sending)
  const client = clientOf(app, request.control)
  try {
    await client.call(`${pathOf(request)}/decisions`, {
      json: { decision: encodeSigned({ bytes: prepared.bytes, signatures: [signature] }) },
    })
  } catch (error) {
    const isLate = error instanceof ControlRefusal && (error.code === 'ALREADY_DECIDED' || error.code === 'GONE')
    if (!isLate) throw error
    return showEnded(app, request, await client.call<Held>(pathOf(request)))
  }
  await follow(app, request, done)
}

const OVER = new Set(['refused', 'executed', 'ended', 'timed_out'])

/** Each stage as the gateway reports it. */
async function follow(app: App, request: ApprovalSignerRequest, done: ReturnType<typeof stages>): Promise<void> {
  const client = clientOf(app, request.control)
  let seen = 'waiting'
  for (;;) {
    done.add('now', words.approval.next(seen))
    const held = await client.call<Held>(`${pathOf(request)}?wait=20&seen=${seen}`, { timeoutMs: 40_000 })
    if (held.status === seen) continue
    seen = held.status
    if (seen === 'waiting') return done.add('failed', words.approval.notTaken(held.code ?? ''))
    if (seen !== 'decided') done.add(seen === 'ended' || seen === 'timed_out' ? 'failed' : 'done', words.approval.stage(seen, held))
    if (OVER.has(seen)) return app.page.say(words.approval.stage(seen, held))
  }
}

function showEnded(app: App, request: ApprovalSignerRequest, held: Held): void {
  const back: Back = backOf(request)
  app.page.show({
    ...{ over: held.risk.toUpperCase(), title: words.approval.ended(held.status), lead: words.approval.stage(held.status, held) },
    body: [
      facts([
        [words.approval.tool, showText(held.tool)],
        [words.approval.agent, chip(held.agent)],
        [words.approval.gateway, chip(held.gateway)],
        ...(held.reason ? [[words.approval.reason, showText(held.reason)] as const] : []),
      ]),
      actions(closeButton(), backLink(back)),
    ],
  })
}
