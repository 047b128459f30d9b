import type { PublicKey } from '@postern/core'
import { keyIdOf, recoveryWords } from '@postern/core'
import type { App } from '../app.ts'
import { el } from '../page/element.ts'
import { actions, button, facts, field, notice } from '../page/parts.ts'
import { words } from '../words.ts'

export interface Kit {
  readonly seed: Uint8Array
  readonly recovery: PublicKey
  readonly name: string
  readonly atsign: string
  readonly control: string
}

/** The offline key on paper: shown once, printed, and two of its words typed again before anything goes on. */
export async function recoveryKit(app: App, kit: Kit): Promise<void> {
  const list = recoveryWords(kit.seed)
  await showKit(app, kit, list)
  await askTwo(app, list, kit)
}

async function showKit(app: App, { recovery, name, atsign, control }: Kit, list: readonly string[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const sheet = el(
    'section',
    { class: 'kit', 'aria-label': words.kit.sheet(name) },
    el('h2', {}, words.kit.sheet(name)),
    el('p', {}, words.kit.what),
    el('ol', { class: 'kit-words' }, ...list.map((word) => el('li', {}, word))),
    facts([
      [words.kit.key, el('code', {}, keyIdOf(recovery))],
      [words.kit.madeBy, atsign],
      [words.kit.made, new Date().toLocaleDateString(undefined, { dateStyle: 'long' })],
      [words.kit.console, control],
      [words.kit.signer, app.origin],
    ]),
    el('p', { class: 'fine' }, words.kit.how),
  )
  app.page.show({
    ...{ over: words.genesis.step(5), title: words.kit.title, lead: words.kit.lead },
    body: [
      sheet,
      notice('warn', words.kit.warnTitle, words.kit.warn),
      actions(button(words.kit.print, { onClick: () => window.print() }), button(words.kit.written, { kind: 'primary', onClick: resolve })),
    ],
  })
  await promise
}

async function askTwo(app: App, list: readonly string[], kit: Kit): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<'right' | 'back'>()
  const places = twoPlaces(app.around.random(8), list.length)
  const fields = places.map((place) => ({ place, ...field(words.kit.word(place + 1), {}) }))
  const go = () => {
    const wrong = fields.filter(({ input, place }) => input.value.trim().toLowerCase() !== list[place])
    for (const { setWrong } of fields) setWrong('')
    for (const { setWrong, place } of wrong) setWrong(words.kit.wrong(place + 1))
    if (wrong[0]) return wrong[0].input.focus()
    resolve('right')
  }
  for (const { input } of fields) input.addEventListener('keydown', (event) => event.key === 'Enter' && go())
  app.page.show({
    ...{ over: words.genesis.step(5), title: words.kit.askTitle, lead: words.kit.askLead },
    body: [
      ...fields.map(({ element }) => element),
      actions(button(words.kit.showAgain, { onClick: () => resolve('back') }), button(words.next, { kind: 'primary', onClick: go })),
    ],
  })
  fields[0]!.input.focus()
  if ((await promise) === 'back') await recoveryKit(app, kit)
}

/** Two different places, the smaller first. */
export function twoPlaces(random: Uint8Array, count: number): readonly [number, number] {
  const number = (at: number) => ((random[at]! << 24) | (random[at + 1]! << 16) | (random[at + 2]! << 8) | random[at + 3]!) >>> 0
  const first = number(0) % count
  const second = (first + 1 + (number(4) % (count - 1))) % count
  return first < second ? [first, second] : [second, first]
}
