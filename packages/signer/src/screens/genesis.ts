import type { AtSign, GenesisBody, PublicKey, Signature, Signed } from '@postern/core'
import { ed25519PublicKey, encodeBase64url, encodeSigned, isAtSign, isSafeText, organisationOf, organisationWords } from '@postern/core'
import type { App } from '../app.ts'
import { clientOf, isTrial } from '../app.ts'
import { addToAuthority } from '../authority/authority.ts'
import { ControlRefusal } from '../authority/net.ts'
import { SignerError } from '../errors.ts'
import type { PersonKeys } from '../keys/new-person-keys.ts'
import { makePersonKeys } from '../keys/new-person-keys.ts'
import { decide } from '../page/decide.ts'
import type { Child } from '../page/element.ts'
import { el } from '../page/element.ts'
import { actions, button, card, field, link, notice, record, sentenceList, stages, wordList } from '../page/parts.ts'
import type { Prepared } from '../signing/prepare.ts'
import { prepareGenesis } from '../signing/prepare.ts'
import { sign, signWithSeed } from '../signing/sign.ts'
import { words } from '../words.ts'
import { checkAddress } from './address.ts'
import { normalAtSign } from './login.ts'
import { recoveryKit } from './recovery-kit.ts'
import { showCancelled } from './refusal.ts'

const SECRET = /^[A-Za-z0-9_-]{8,64}$/

/** Founds an organisation: one person, two passkeys, a recovery kit, statement 0. */
export async function genesisScreen(app: App, fragment: string): Promise<void> {
  if (!SECRET.test(fragment)) throw new SignerError('NO_SECRET')
  const [control] = app.consoles
  if (!control) throw new SignerError('NO_CONSOLE')
  await showAddress(app, control)
  const { atsign, name } = await askNames(app)
  const nonce = app.around.random(16)
  const keys = await makePasskeys(app, control, { atsign, name, nonce })
  const seed = app.around.random(32)
  const recovery: PublicKey = { use: 'recovery', alg: 'ssh-ed25519', key: encodeBase64url(ed25519PublicKey(seed)) }
  await recoveryKit(app, { seed, recovery, name, atsign, control })
  const body: GenesisBody = {
    ...{ name, nonce: encodeBase64url(nonce), recovery },
    admins: [{ atsign, keys: [...keys.map(({ sign: key }) => key), ...keys.map(({ seal }) => seal)] }],
    thresholds: { root: { m: 1 }, sensitive: { m: 1 }, routine: { m: 1 } },
    signer: { origins: [app.origin], rp_id: app.hostname },
    console: { origins: [...app.consoles] },
  }
  await signAndStart(app, { control, secret: fragment, body, atsign, keys: keys.map(({ sign: key }) => key), seed })
}

const over = (step: number) => words.genesis.step(step)

/** Host names of passkeys are for ever: so before anything is made, this one is looked at. */
async function showAddress(app: App, control: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const list = el('ul', { class: 'checks' })
  const go = button(words.genesis.addressGo, { kind: 'primary', onClick: resolve })
  go.disabled = true
  const result = el('p', { class: 'reason', role: 'status' }, words.genesis.checking)
  app.page.show({
    ...{ over: over(1), title: words.genesis.addressTitle, lead: words.genesis.addressLead(app.hostname) },
    body: [
      card(undefined, el('p', { class: 'address' }, el('code', {}, app.hostname)), list),
      isTrial(app)
        ? notice('warn', words.genesis.trialTitle, words.genesis.trial)
        : notice('warn', words.genesis.permanentTitle, words.genesis.permanent),
      actions(go),
      result,
    ],
  })
  const { checks, founded } = await checkAddress(app, control)
  if (founded) throw new SignerError('DECIDED', words.genesis.founded(founded.name, founded.at))
  list.replaceChildren(
    ...checks.map(({ state, text }) =>
      el(
        'li',
        { class: `check-${state}` },
        el('span', { 'aria-hidden': 'true' }, state === 'ok' ? '✓' : state === 'bad' ? '✕' : '!'),
        text,
      ),
    ),
  )
  const isGood = checks.every(({ state }) => state !== 'bad')
  go.disabled = !isGood
  result.textContent = isGood ? '' : words.genesis.addressBad
  return promise
}

async function askNames(app: App): Promise<{ atsign: AtSign; name: string }> {
  const { promise, resolve } = Promise.withResolvers<{ atsign: AtSign; name: string }>()
  const atsign = field(words.genesis.atsign, { placeholder: '@ana', hint: words.genesis.atsignHint, maxlength: '60' })
  const name = field(words.genesis.name, { placeholder: 'acme', hint: words.genesis.nameHint, maxlength: '64', autocapitalize: 'words' })
  atsign.input.addEventListener('input', () => {
    const lower = atsign.input.value.toLowerCase()
    if (atsign.input.value !== lower) atsign.input.value = lower
    const typed = normalAtSign(lower)
    atsign.setWrong(typed === '' || typed === '@' || isAtSign(typed) ? '' : whyNot(typed))
  })
  const go = () => {
    const typed = normalAtSign(atsign.input.value)
    const named = name.input.value.trim().normalize('NFC')
    atsign.setWrong(isAtSign(typed) ? '' : whyNot(typed))
    name.setWrong(named.length === 0 ? words.genesis.nameEmpty : isSafeText(named) ? '' : words.genesis.nameWrong)
    if (!isAtSign(typed)) return atsign.input.focus()
    if (named.length === 0 || !isSafeText(named)) return name.input.focus()
    resolve({ atsign: typed, name: named })
  }
  for (const { input } of [atsign, name]) input.addEventListener('keydown', (event) => event.key === 'Enter' && go())
  app.page.show({
    ...{ over: over(2), title: words.genesis.namesTitle, lead: words.genesis.namesLead },
    body: card(undefined, atsign.element, name.element, actions(button(words.next, { kind: 'primary', onClick: go }))),
  })
  atsign.input.focus()
  return promise
}

/** Each refusal explained, instead of one sentence for all. */
function whyNot(typed: string): string {
  const bare = typed.replace(/^@/, '')
  if (bare === '') return words.genesis.why.empty
  if (bare.length > 55) return words.genesis.why.long
  if (bare.includes('.')) return words.genesis.why.dot
  if (/\s/.test(bare)) return words.genesis.why.space
  if (!/^[a-z0-9]/.test(bare)) return words.genesis.why.first
  return words.genesis.why.other
}

interface Founding {
  readonly atsign: AtSign
  readonly name: string
  readonly nonce: Uint8Array
}

async function makePasskeys(app: App, control: string, founding: Founding): Promise<readonly PersonKeys[]> {
  const first = await makeOne(app, control, founding, [])
  if (first === 'skipped') throw new SignerError('CANCELLED')
  const second = await makeOne(app, control, founding, [first])
  return second === 'skipped' ? [first] : [first, second]
}

async function makeOne(
  app: App,
  control: string,
  { atsign, name, nonce }: Founding,
  before: readonly PersonKeys[],
): Promise<PersonKeys | 'skipped'> {
  const isSecond = before.length > 0
  const text = isSecond ? words.genesis.second : words.genesis.first
  const problem = el('div', {})
  for (;;) {
    const panel = decide<PersonKeys>({
      sign: {
        label: text.make,
        run: () =>
          makePersonKeys({
            ...{
              rpId: app.hostname,
              organisation: name,
              atsign,
              exclude: before.map(({ sign: key }) => key),
              genesisNonce: nonce,
              control,
            },
            ...{ passkeys: app.passkeys, sealSeeds: app.device.sealSeeds, around: app.around },
            onSecondPrompt: () => app.page.say(words.passkey.second),
          }),
      },
      more: el('p', { class: 'fine' }, words.passkey.second),
      say: app.page.say,
    })
    const { promise: skipped, resolve: skip } = Promise.withResolvers<'skipped'>()
    app.page.show({
      ...{ over: over(isSecond ? 4 : 3), title: text.title(atsign), lead: text.lead },
      body: [
        before.map(({ synced, sealFrom }) =>
          notice(
            'good',
            words.genesis.made,
            synced ? words.genesis.synced : words.genesis.bound,
            ' ',
            sealFrom === 'browser' ? words.genesis.sealHere : '',
          ),
        ),
        problem,
        panel.element,
        isSecond && skipParts(app, skip),
      ],
    })
    try {
      const made = await Promise.race([panel.done, skipped])
      if (made === 'skipped' || made !== 'cancelled') return made
      if (!isSecond) throw new SignerError('CANCELLED')
    } catch (error) {
      if (!(error instanceof SignerError) || error.code !== 'ALREADY_HERE') throw error
      problem.replaceChildren(notice('bad', words.refusals.ALREADY_HERE.title, words.refusals.ALREADY_HERE.text))
    } finally {
      panel.stop()
    }
  }
}

/** In a trial one click; else a person types what it means. */
function skipParts(app: App, skip: (value: 'skipped') => void): Child {
  if (isTrial(app)) {
    return card(
      words.genesis.skipTitle,
      el('p', { class: 'fine' }, words.genesis.skipTrialText),
      actions(button(words.genesis.skipTrial, { onClick: () => skip('skipped') })),
    )
  }
  const typed = field(words.genesis.skipLabel(words.genesis.skipSentence), {})
  const go = () => {
    if (typed.input.value.trim() !== words.genesis.skipSentence) return typed.setWrong(words.genesis.skipWrong)
    skip('skipped')
  }
  return el(
    'details',
    { class: 'record' },
    el('summary', {}, words.genesis.skipTitle),
    typed.element,
    actions(button(words.genesis.skip, { kind: 'danger', onClick: go })),
  )
}

interface Starting {
  readonly control: string
  readonly secret: string
  readonly body: GenesisBody
  readonly atsign: AtSign
  readonly keys: readonly PublicKey[]
  readonly seed: Uint8Array
}

async function signAndStart(app: App, starting: Starting): Promise<void> {
  const { body, keys } = starting
  const { suite } = app.around
  const prepared = prepareGenesis(body, { now: app.now(), suite })
  const org = organisationOf(prepared.bytes)
  const signatures: Signature[] = []
  const site = { origins: [app.origin], rpId: app.hostname }
  const panel = decide<'signed'>({
    sign: {
      label: words.genesis.signAndStart,
      async run(tell) {
        for (const key of keys.slice(signatures.length)) {
          if (keys.length > 1) tell(words.genesis.waitingFor(signatures.length + 1, keys.length))
          signatures.push(await sign(prepared, { site, keys: [key], ask: [key], passkeys: app.passkeys, suite }))
        }
        return 'signed'
      },
    },
    more: keys.length > 1 && el('p', { class: 'fine' }, words.genesis.bothSign),
    say: app.page.say,
  })
  app.page.setOrganisation(body.name)
  app.page.show({
    ...{ over: over(6), title: words.genesis.statementTitle, lead: words.genesis.statementLead },
    body: [
      card(
        words.genesis.wordsTitle,
        wordList(organisationWords(org), words.genesis.wordsTitle),
        el('p', { class: 'fine' }, words.genesis.wordsText),
      ),
      card(words.waiting.what, sentenceList(prepared.sentences), record(prepared)),
      panel.element,
    ],
  })
  if ((await panel.done) === 'cancelled') return showCancelled(app, undefined, () => void signAndStart(app, starting))
  const signed = { bytes: prepared.bytes, signatures: [...signatures, signWithSeed(prepared, starting.seed, suite)] }
  starting.seed.fill(0)
  await handIn(app, starting, prepared, signed)
}

/** What was signed is kept while this page is open: a lost answer or an old secret costs no new passkey. */
async function handIn(app: App, starting: Starting, prepared: Prepared, signed: Signed, secret = starting.secret): Promise<void> {
  const { control, atsign, body } = starting
  const done = stages()
  app.page.show({ over: over(6), title: words.genesis.startingTitle, body: done.element })
  done.add('done', words.waiting.signedAt(new Date().toLocaleTimeString()))
  done.add('now', words.waiting.sending)
  try {
    await clientOf(app, control).call('/api/v1/log', { json: { entry: encodeSigned(signed), secret } })
  } catch (error) {
    return askAgain(app, starting, prepared, signed, error)
  }
  const org = organisationOf(signed.bytes)
  await addToAuthority(org, [signed], app.device, app.around)
  await app.device.memory.remember({ org, name: body.name, control, compared: true, me: atsign })
  done.add('done', words.genesis.inLog)
  app.page.show({
    ...{ kind: 'done', over: words.genesis.doneOver, title: words.genesis.doneTitle(body.name), lead: words.genesis.doneLead },
    body: [
      done.element,
      card(
        words.genesis.wordsTitle,
        wordList(organisationWords(org), words.genesis.wordsTitle),
        el('p', { class: 'fine' }, words.genesis.wordsText),
      ),
      starting.keys.length === 1 && notice('bad', words.genesis.oneTitle, words.genesis.one),
      actions(link(words.enrolment.toConsole, `${control}/sign-in`)),
    ],
  })
  app.page.say(words.genesis.doneTitle(body.name))
}

async function askAgain(app: App, starting: Starting, prepared: Prepared, signed: Signed, error: unknown): Promise<void> {
  const isOldSecret = error instanceof ControlRefusal && error.code === 'BAD_SECRET'
  const canWait = error instanceof SignerError && error.code === 'UNREACHABLE'
  if (!isOldSecret && !canWait) throw error
  const { promise, resolve } = Promise.withResolvers<string>()
  const typed = field(words.genesis.newLink, { hint: words.genesis.newLinkHint })
  const go = () => {
    if (!isOldSecret) return resolve(starting.secret)
    const secret = typed.input.value.trim().replace(/^.*#/, '')
    if (!SECRET.test(secret)) return typed.setWrong(words.genesis.newLinkWrong)
    resolve(secret)
  }
  const { title, text } = isOldSecret ? words.genesis.oldSecret : words.refusals.UNREACHABLE
  app.page.show({
    ...{ over: over(6), kind: 'refused', title, lead: text },
    body: [
      notice('info', words.genesis.stillSigned),
      isOldSecret && typed.element,
      actions(button(words.genesis.handInAgain, { kind: 'primary', onClick: go })),
    ],
  })
  await handIn(app, starting, prepared, signed, await promise)
}
