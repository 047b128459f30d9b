import { organisationWords } from '@postern/core'
import type { App } from '../app.ts'
import { el } from '../page/element.ts'
import { card, chip, notice, wordList } from '../page/parts.ts'
import { words } from '../words.ts'

/** Opened without a request: what this page is, and what this device knows. */
export async function nothingScreen(app: App): Promise<void> {
  const known = await app.device.memory.organisations()
  const organisation = ({ org, name, control, me }: (typeof known)[number]) =>
    card(
      name || words.nothing.unnamed,
      el('p', { class: 'fine' }, control, me && [' · ', words.nothing.you, ' ', chip(me)]),
      wordList(organisationWords(org), words.compare.label),
    )
  app.page.show({
    ...{ title: words.nothing.title, lead: words.nothing.lead },
    body: [
      ...(known.length > 0 ? [el('h2', {}, words.nothing.known), ...known.map(organisation)] : [notice('info', words.nothing.none)]),
      card(words.nothing.aboutTitle, ...words.nothing.about.map((text) => el('p', {}, text))),
    ],
  })
}
