import { organisationWords } from '@postern/core'
import type { App } from '../app.ts'
import type { Access, Authority } from '../authority/authority.ts'
import { syncAuthority } from '../authority/authority.ts'
import { SignerError } from '../errors.ts'
import { actions, button, card, field, notice, wordList } from '../page/parts.ts'
import { words } from '../words.ts'

/**
 * The organisation that a request names, met on this device: it is the one pinned for that control plane, its log verifies from there, this
 * page is where its people sign, and a person has compared its words once.
 * @throws {SignerError} OTHER_ORGANISATION, WRONG_SITE, and those of `syncAuthority`
 */
export async function meet(app: App, control: string, org: string, access: Access): Promise<Authority> {
  checkConsole(app, control)
  await checkPin(app, control, org)
  const authority = await syncAuthority(control, org, access, app.device, app.around)
  const { state } = authority
  app.page.setOrganisation(state.name)
  if (!state.site.origins.includes(app.origin)) throw new SignerError('WRONG_SITE', state.site.origins.join(', '))
  await compareOnce(app, control, org, state.name)
  return authority
}

/** The page could not talk to another one anyway; this says so in words. @throws {SignerError} WRONG_CONSOLE */
export function checkConsole({ consoles }: App, control: string): void {
  if (consoles.length > 0 && !consoles.includes(control)) throw new SignerError('WRONG_CONSOLE', control)
}

/** @throws {SignerError} OTHER_ORGANISATION unless the person makes this device forget the old one */
async function checkPin(app: App, control: string, org: string): Promise<void> {
  const pinned = await app.device.memory.pinOf(control)
  if (pinned !== undefined && pinned !== org) await offerToForget(app, control, pinned, org)
}

async function offerToForget(app: App, control: string, pinned: string, org: string): Promise<void> {
  const { title, text, detail } = words.refusals.OTHER_ORGANISATION
  const known = await app.device.memory.known(pinned)
  const phrase = words.forget.phrase
  const { promise, resolve } = Promise.withResolvers<void>()
  const typed = field(words.forget.label(phrase), {})
  const forget = button(words.forget.button, {
    kind: 'danger',
    async onClick() {
      if (typed.input.value.trim().toLowerCase() !== phrase) return typed.setWrong(words.forget.wrong(phrase))
      await app.device.memory.forget(control, pinned)
      resolve()
    },
  })
  app.page.show({
    ...{ title, lead: text, kind: 'refused' },
    body: [
      card(words.forget.before(known?.name), wordList(organisationWords(pinned), words.forget.before(known?.name))),
      card(words.forget.now, wordList(organisationWords(org), words.forget.now)),
      notice('bad', words.forget.title, detail ?? ''),
      card(words.forget.cardTitle, words.forget.text(control), typed.element, actions(forget)),
    ],
  })
  await promise
}

/** First use on a device: the eight words, to compare with somebody else's screen. Never again for the same organisation. */
export async function compareOnce(app: App, control: string, org: string, name: string): Promise<void> {
  const { memory } = app.device
  const known = await memory.known(org)
  if (!known?.compared) await showWords(app, org, name)
  await memory.remember({ org, name, control, compared: true })
}

async function showWords(app: App, org: string, name: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  app.page.show({
    ...{ over: words.compare.over, title: words.compare.title(name), lead: words.compare.lead },
    body: [
      card(words.compare.cardTitle, wordList(organisationWords(org), words.compare.label)),
      notice('info', words.compare.whereTitle, words.compare.where),
      actions(
        button(words.compare.different, { onClick: () => reject(new SignerError('OTHER_ORGANISATION', words.compare.saidDifferent)) }),
        button(words.compare.same, { kind: 'primary', onClick: () => resolve() }),
      ),
    ],
  })
  await promise
}
