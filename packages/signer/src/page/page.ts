import { words } from '../words.ts'
import type { Child } from './element.ts'
import { el } from './element.ts'

/** The one page: a bar on top that says where one is, one screen below it, and a voice for screen readers. */
export interface Page {
  /** Replaces the screen; the focus goes to its title. */
  show(screen: Screen): void
  /** Says something to screen readers; what it says stands on the screen, too. */
  say(text: string): void
  /** What stands on the bar: whose organisation this is. */
  setOrganisation(name: string | undefined): void
}

export interface Screen {
  readonly title: string
  /** One line above the title. */
  readonly over?: string | undefined
  readonly lead?: string | undefined
  readonly body: Child
  readonly kind?: 'plain' | 'refused' | 'done'
  readonly wide?: boolean
}

export function createPage(root: HTMLElement, host: string): Page {
  const organisation = el('span', { class: 'bar-organisation' })
  const voice = el('div', { class: 'sr-only', role: 'status', 'aria-live': 'polite' })
  const main = el('main', { id: 'screen', tabindex: -1 })
  root.replaceChildren(
    el(
      'header',
      { class: 'bar' },
      el('img', { class: 'bar-mark', src: '/icon.svg', alt: '' }),
      el('span', { class: 'bar-name' }, words.name),
      el('span', { class: 'bar-host' }, host),
      organisation,
    ),
    main,
    voice,
  )
  return {
    show({ title, over, lead, body, kind = 'plain', wide }) {
      const heading = el('h1', { tabindex: -1 }, title)
      main.className = `screen screen-${kind}${wide ? ' screen-wide' : ''}`
      main.replaceChildren(
        el('div', { class: 'screen-head' }, over && el('p', { class: 'over' }, over), heading, lead && el('p', { class: 'lead' }, lead)),
        el('div', { class: 'screen-body' }, body),
      )
      document.title = `${title} · ${words.name}`
      window.scrollTo(0, 0)
      heading.focus({ preventScroll: true })
    },
    say(text) {
      voice.textContent = ''
      requestAnimationFrame(() => {
        voice.textContent = text
      })
    },
    setOrganisation(name) {
      organisation.textContent = name ?? ''
    },
  }
}
