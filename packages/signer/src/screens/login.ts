import type { AtSign, LoginSignerRequest, Signature } from '@postern/core'
import { encodeBase64url, encodeSigned, isAtSign, organisationWords, utf8 } from '@postern/core'
import type { App } from '../app.ts'
import type { Authority } from '../authority/authority.ts'
import { readAuthority } from '../authority/authority.ts'
import { SignerError } from '../errors.ts'
import { decide } from '../page/decide.ts'
import { el } from '../page/element.ts'
import { actions, button, card, copyable, field, record, sentenceList, wordList } from '../page/parts.ts'
import { prepareLogin } from '../signing/prepare.ts'
import { signUnknown } from '../signing/sign.ts'
import { words } from '../words.ts'
import { checkConsole } from './organisation.ts'
import { showCancelled } from './refusal.ts'

/** A login lives two minutes; a screen that has stood longer than this shows a new one. */
const FRESH_MS = 75_000

/**
 * A person signs in at a console, or names the key of a terminal. The authority log is not fetched for it: what this device has verified
 * before is used, and whoever verifies the login has the rest. The result leaves by navigation only.
 */
export async function loginScreen(app: App, request: LoginSignerRequest): Promise<void> {
  checkConsole(app, request.console)
  const pinned = await app.device.memory.pinOf(request.console)
  if (pinned !== undefined && pinned !== request.org) throw new SignerError('OTHER_ORGANISATION')
  const authority = await readAuthority(request.org, app.device, app.around)
  if (authority && !authority.state.site.origins.includes(app.origin))
    throw new SignerError('WRONG_SITE', authority.state.site.origins.join(', '))
  const known = await app.device.memory.known(request.org)
  app.page.setOrganisation(known?.name)
  const atsign = request.atsign ?? known?.me ?? (await askName(app, request))
  await signIn(app, request, authority, atsign, !known?.compared)
}

async function askName(app: App, { console, session_key }: LoginSignerRequest): Promise<AtSign> {
  const { promise, resolve } = Promise.withResolvers<AtSign>()
  const name = field(words.login.atsign, { placeholder: '@ana', hint: words.login.atsignHint, autofocus: true })
  const go = () => {
    const typed = normalAtSign(name.input.value)
    if (!isAtSign(typed)) return name.setWrong(words.atsignWrong)
    resolve(typed)
  }
  name.input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') go()
  })
  app.page.show({
    ...{
      over: words.login.over,
      title: session_key ? words.login.terminalTitle : words.login.title(hostOf(console)),
      lead: words.login.who,
    },
    body: card(undefined, name.element, actions(button(words.next, { kind: 'primary', onClick: go }))),
  })
  name.input.focus()
  return promise
}

/** What people type: capitals are no other name, and the @ may be missing. */
export const normalAtSign = (typed: string): string => {
  const name = typed.trim().toLowerCase()
  return name === '' || name.startsWith('@') ? name : `@${name}`
}

const hostOf = (origin: string) => new URL(origin).host

async function signIn(
  app: App,
  request: LoginSignerRequest,
  authority: Authority | undefined,
  atsign: AtSign,
  isFirst: boolean,
): Promise<void> {
  const again = () => loginScreen(app, request)
  const { console, org, session_key } = request
  const person = authority?.state.identities.get(atsign)
  const keys = (person?.keys ?? []).filter((key) => key.use === 'sign' && key.alg === 'webauthn-es256')
  const site = authority?.state.site ?? { origins: [app.origin], rpId: app.hostname }
  for (;;) {
    const prepared = prepareLogin(request, atsign, {
      ...(authority ? { state: authority.state } : {}),
      now: app.now(),
      suite: app.around.suite,
    })
    let isAsking = false
    const panel = decide<readonly Signature[]>({
      sign: {
        label: words.login.signIn(atsign),
        async run() {
          isAsking = true
          try {
            return await signUnknown(prepared, { site, keys, ask: keys, passkeys: app.passkeys, suite: app.around.suite })
          } finally {
            isAsking = false
          }
        },
      },
      say: app.page.say,
    })
    app.page.show({
      ...{
        over: words.login.over,
        title: session_key ? words.login.terminalTitle : words.login.title(hostOf(console)),
        lead: words.login.lead(console),
      },
      body: [
        isFirst && card(words.login.firstTitle, el('p', {}, words.login.first), wordList(organisationWords(org), words.compare.label)),
        card(words.waiting.what, sentenceList(prepared.sentences), record(prepared)),
        panel.element,
        !request.atsign &&
          el(
            'p',
            { class: 'fine' },
            button(words.login.other, {
              kind: 'link',
              onClick: () => void askName(app, request).then((name) => signIn(app, request, authority, name, isFirst)),
            }),
          ),
      ],
    })
    const { promise: stale, resolve } = Promise.withResolvers<'stale'>()
    const timer = setInterval(() => !isAsking && resolve('stale'), FRESH_MS)
    const outcome = await Promise.race([panel.done, stale])
    clearInterval(timer)
    if (outcome === 'stale') {
      panel.stop()
      continue
    }
    if (outcome === 'cancelled') return showCancelled(app, { href: console }, () => void again())
    const remembered = await app.device.memory.known(org)
    await app.device.memory.remember({
      ...remembered,
      org,
      control: console,
      name: remembered?.name ?? '',
      compared: remembered?.compared ?? false,
      me: atsign,
    })
    return leave(app, request, encodeBase64url(utf8(JSON.stringify(encodeSigned({ bytes: prepared.bytes, signatures: outcome })))))
  }
}

/**
 * To a fixed path of the console that stands in the signed bytes, or to this machine's own port: nowhere else. For a terminal on another
 * machine it stays here, as text.
 */
function leave(app: App, { console, session_key, port }: LoginSignerRequest, result: string): void {
  if (session_key && port === undefined) {
    app.page.show({ kind: 'done', title: words.login.textTitle, lead: words.login.textLead, body: copyable(result, words.login.text) })
    return
  }
  app.page.show({
    kind: 'done',
    title: words.login.doneTitle,
    lead: session_key ? words.login.doneTerminal : words.login.doneConsole(hostOf(console)),
    body: undefined,
  })
  app.navigate(session_key ? `http://127.0.0.1:${port}/#${result}` : `${console}/sign-in/return#${result}`)
}
