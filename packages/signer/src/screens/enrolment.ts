import type { AtSign, EnrolmentSignerRequest } from '@postern/core'
import { comparisonWords, encodeBase64url, isAtSign, lookAlikes } from '@postern/core'
import type { App } from '../app.ts'
import { clientOf } from '../app.ts'
import type { Authority } from '../authority/authority.ts'
import { syncAuthority } from '../authority/authority.ts'
import { SignerError } from '../errors.ts'
import type { PersonKeys } from '../keys/new-person-keys.ts'
import { makePersonKeys } from '../keys/new-person-keys.ts'
import { decide } from '../page/decide.ts'
import { el } from '../page/element.ts'
import { actions, button, card, countdown, field, link, notice, record, sentenceList, wordList } from '../page/parts.ts'
import { prepareEnrolment } from '../signing/prepare.ts'
import { sign } from '../signing/sign.ts'
import { words } from '../words.ts'
import { normalAtSign } from './login.ts'
import { meet } from './organisation.ts'
import { showCancelled } from './refusal.ts'

const REQUEST_SECONDS = 3_600

/** An invited person: makes a passkey here, proves it, asks with the code, and compares six words with whoever invited. */
export async function enrolmentScreen(app: App, request: EnrolmentSignerRequest): Promise<void> {
  const { control, org, code } = request
  const asked = await app.device.memory.asked(org, code)
  if (asked && asked.exp > app.now()) return follow(app, request, asked)
  const authority = await meet(app, control, org, { code })
  const atsign = await askName(app, authority)
  const keys = await makePasskey(app, request, authority, atsign)
  const prepared = prepareEnrolment(
    {
      ...{ org, kind: 'person', atsign, keys: [keys.sign, keys.seal], nonce: encodeBase64url(app.around.random(16)) },
      exp: app.now() + REQUEST_SECONDS,
    },
    { state: authority.state, suite: app.around.suite },
  )
  const { site } = authority.state
  const panel = decide({
    sign: {
      label: words.enrolment.ask,
      run: () => sign(prepared, { site, keys: [keys.sign], ask: [keys.sign], passkeys: app.passkeys, suite: app.around.suite }),
    },
    say: app.page.say,
  })
  app.page.show({
    ...{ over: words.enrolment.over, title: words.enrolment.proveTitle, lead: words.enrolment.proveLead },
    body: [card(words.waiting.what, sentenceList(prepared.sentences), record(prepared)), panel.element],
  })
  const proof = await panel.done
  if (proof === 'cancelled') return showCancelled(app, { href: control }, () => void enrolmentScreen(app, request))
  const json = { code, request: encodeBase64url(prepared.bytes), proofs: [proof], facts: factsHere() }
  const { id, exp } = await clientOf(app, control).call<{ id: string; exp: number }>('/api/v1/enrolments', { json })
  const posted = { id, atsign, request: prepared.bytes, exp }
  await app.device.memory.recordAsked(org, code, posted)
  await follow(app, request, posted)
}

async function askName(app: App, { state }: Authority): Promise<AtSign> {
  const { promise, resolve } = Promise.withResolvers<AtSign>()
  const name = field(words.enrolment.atsign, { placeholder: '@bob', hint: words.enrolment.atsignHint })
  const alike = el('div', {})
  name.input.addEventListener('input', () => {
    name.setWrong('')
    const typed = normalAtSign(name.input.value)
    const others = isAtSign(typed) ? lookAlikes(typed, state) : []
    alike.replaceChildren(
      ...(others.length > 0 ? [notice('warn', words.enrolment.alike, others.map(({ atsign }) => atsign).join(', '))] : []),
    )
  })
  const go = () => {
    const typed = normalAtSign(name.input.value)
    if (!isAtSign(typed)) return name.setWrong(words.atsignWrong)
    if (state.identities.has(typed)) return name.setWrong(words.enrolment.taken(typed))
    resolve(typed)
  }
  name.input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') go()
  })
  app.page.show({
    ...{ over: words.enrolment.over, title: words.enrolment.title(state.name), lead: words.enrolment.lead },
    body: card(undefined, name.element, alike, actions(button(words.next, { kind: 'primary', onClick: go }))),
  })
  name.input.focus()
  return promise
}

async function makePasskey(
  app: App,
  { control }: EnrolmentSignerRequest,
  { state, genesisNonce }: Authority,
  atsign: AtSign,
): Promise<PersonKeys> {
  const panel = decide({
    sign: {
      label: words.passkey.make,
      run: () =>
        makePersonKeys({
          ...{ rpId: state.site.rpId, organisation: state.name, atsign, exclude: [], genesisNonce, control },
          ...{ passkeys: app.passkeys, sealSeeds: app.device.sealSeeds, around: app.around },
          onSecondPrompt: () => app.page.say(words.passkey.second),
        }),
    },
    more: el('p', { class: 'fine' }, words.passkey.second),
    say: app.page.say,
  })
  app.page.show({
    ...{ over: words.enrolment.over, title: words.passkey.title(atsign), lead: words.passkey.lead },
    body: [notice('info', words.passkey.whereTitle, words.passkey.where(state.site.rpId)), panel.element],
  })
  const keys = await panel.done
  if (keys === 'cancelled') throw new SignerError('CANCELLED')
  return keys
}

/** For people to recognise the request by; signed by nobody. */
function factsHere(): { host: string; os: string; version: string } {
  const agent = navigator.userAgent
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\/(\d+)/.exec(agent)
  const os = /\(([^)]{1,60})/.exec(agent)?.[1] ?? 'unknown'
  return { host: browser ? `${browser[1]} ${browser[2]}` : 'a browser', os, version: 'signer' }
}

interface Asked {
  readonly id: string
  readonly atsign: AtSign
  readonly request: Uint8Array
  readonly exp: number
}
interface Fate {
  readonly status: 'pending' | 'enrolled' | 'refused' | 'expired'
  readonly reason?: string
}

/** Shows the six words until somebody has decided. What the control plane says is a hint: the log has to contain it. */
async function follow(app: App, request: EnrolmentSignerRequest, { id, atsign, request: bytes, exp }: Asked): Promise<void> {
  const { control, org } = request
  const left = countdown(exp, REQUEST_SECONDS, app.now, () => {})
  app.page.setOrganisation((await app.device.memory.known(org))?.name)
  app.page.show({
    ...{ over: words.enrolment.over, title: words.enrolment.waitTitle, lead: words.enrolment.waitLead },
    body: [
      card(
        words.enrolment.wordsTitle,
        wordList(comparisonWords(org, bytes), words.enrolment.wordsTitle),
        el('p', { class: 'fine' }, words.enrolment.wordsText),
      ),
      el('p', { class: 'waiting-line', role: 'status' }, `◌ ${words.enrolment.waiting} `, left.element),
      notice('info', words.enrolment.safeTitle, words.enrolment.safe),
    ],
  })
  for (;;) {
    const fate = await clientOf(app, control).call<Fate>(`/api/v1/enrolments/${encodeURIComponent(id)}?wait=20`, { timeoutMs: 40_000 })
    if (fate.status === 'pending') continue
    left.stop()
    if (fate.status === 'enrolled') return enrolled(app, request, id, atsign)
    const { title, text } = fate.status === 'refused' ? words.enrolment.refused : words.enrolment.expired
    return app.page.show({
      kind: 'refused',
      title,
      lead: text,
      body: fate.reason && notice('info', words.waiting.reasonGiven, fate.reason.slice(0, 300)),
    })
  }
}

async function enrolled(app: App, { control, org }: EnrolmentSignerRequest, id: string, atsign: AtSign): Promise<void> {
  const { state } = await syncAuthority(control, org, { enrolment: id }, app.device, app.around)
  if (!state.identities.has(atsign)) throw new SignerError('LOG_REFUSED', `${atsign} is not in it`)
  await app.device.memory.remember({ org, name: state.name, control, compared: true, me: atsign })
  app.page.show({
    ...{ kind: 'done', title: words.enrolment.doneTitle(atsign, state.name), lead: words.enrolment.doneLead },
    body: actions(link(words.enrolment.toConsole, `${control}/sign-in`)),
  })
  app.page.say(words.enrolment.doneTitle(atsign, state.name))
}
