import { showText } from '@postern/core'
import type { Prepared } from '../signing/prepare.ts'
import { words } from '../words.ts'
import type { Child } from './element.ts'
import { el, svg } from './element.ts'

// Small pieces of screens. All text goes in as text nodes.

export const card = (title: string | undefined, ...children: Child[]): HTMLElement =>
  el('section', { class: 'card' }, title && el('h2', {}, title), ...children)

export type NoticeKind = 'info' | 'warn' | 'bad' | 'good'
const MARKS: { readonly [kind in NoticeKind]: string } = { info: 'i', warn: '!', bad: '✕', good: '✓' }
export const notice = (kind: NoticeKind, title: string, ...children: Child[]): HTMLElement =>
  el(
    'div',
    { class: `notice notice-${kind}`, role: kind === 'info' ? undefined : 'note' },
    el('span', { class: 'notice-mark', 'aria-hidden': 'true' }, MARKS[kind]),
    el('div', {}, el('strong', {}, title), children.length > 0 && el('div', { class: 'notice-text' }, ...children)),
  )

/** Words to compare with another screen: numbered, large, each whole. */
export const wordList = (list: readonly string[], label: string): HTMLElement =>
  el('ol', { class: 'words', 'aria-label': label }, ...list.map((word) => el('li', {}, word)))

/** Sentences made by core, in its order. What only places and dates it stands smaller. */
const FINE_PRINT =
  /^(Organisation|It is (statement|dated|a (root|sensitive|routine) statement)|Gateways serve only once|It can be granted|It was held)/
export function sentenceList(sentences: readonly string[]): HTMLElement {
  const item = (sentence: string) => el('li', FINE_PRINT.test(sentence) ? { class: 'fine' } : {}, withIds(sentence))
  return el('ul', { class: 'sentences' }, ...sentences.map(item))
}

/** Hashes and key ids are set apart from the words around them; nothing is left out. */
const ID = /((?<![\w-])[A-Za-z0-9_-]{43}(?![\w-]))/
const withIds = (sentence: string): Child => sentence.split(ID).map((part) => (ID.test(part) ? el('code', { class: 'id' }, part) : part))

/** The exact bytes, and their hash. */
export function record(prepared: Prepared): HTMLElement {
  const text = showText(new TextDecoder().decode(prepared.bytes))
  return el(
    'details',
    { class: 'record' },
    el('summary', {}, words.record.title(prepared.bytes.length)),
    el('pre', { tabindex: 0, 'aria-label': words.record.label }, text),
    el('p', { class: 'fine' }, `${words.record.sha256} `, el('code', {}, prepared.sha256), ` ${words.record.here}`),
    el('p', { class: 'fine' }, `${words.record.namespace} `, el('code', {}, prepared.namespace)),
  )
}

export const facts = (rows: readonly (readonly [name: string, value: Child])[]): HTMLElement =>
  el('dl', { class: 'facts' }, ...rows.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))))

export const chip = (atsign: string): HTMLElement => el('bdi', { class: 'chip' }, atsign)

export interface ButtonOptions {
  readonly kind?: 'primary' | 'plain' | 'danger' | 'link'
  readonly onClick: () => void
}
export const button = (label: string, { kind = 'plain', onClick }: ButtonOptions): HTMLButtonElement =>
  el('button', { type: 'button', class: `button button-${kind}`, on: { click: onClick } }, label)

export const link = (label: string, href: string): HTMLAnchorElement =>
  el('a', { class: 'button button-plain', href, rel: 'noreferrer' }, label)

export const actions = (...children: Child[]): HTMLElement => el('div', { class: 'actions' }, ...children)

/** A text field with its label, a hint, and room for what is wrong with it. */
export function field(label: string, attributes: { readonly hint?: string } & Record<string, string | boolean | undefined>) {
  const { hint, ...rest } = attributes
  fields += 1
  const id = `field-${fields}`
  const wrong = el('p', { class: 'wrong', id: `${id}-wrong`, 'aria-live': 'polite' })
  const input = el('input', {
    ...{ id, type: 'text', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' },
    ...rest,
    'aria-describedby': `${id}-hint ${id}-wrong`,
  })
  const element = el(
    'div',
    { class: 'field' },
    el('label', { for: id }, label),
    input,
    el('p', { class: 'fine', id: `${id}-hint` }, hint ?? ''),
    wrong,
  )
  return {
    element,
    input,
    /** Empty: nothing is. */
    setWrong(text: string) {
      wrong.textContent = text
      input.setAttribute('aria-invalid', String(text !== ''))
    },
  }
}
let fields = 0

export function tick(label: string, onChange: (isTicked: boolean) => void): HTMLElement {
  const box = el('input', { type: 'checkbox', on: { change: () => onChange(box.checked) } })
  return el('label', { class: 'tick' }, box, el('span', {}, label))
}

/** Text to be copied, whole, with a button that says when it was. */
export function copyable(text: string, label: string): HTMLElement {
  const said = el('span', { class: 'copied', role: 'status' })
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      said.textContent = words.copy.done
    } catch {
      said.textContent = words.copy.failed
    }
    setTimeout(() => {
      said.textContent = ''
    }, 2_500)
  }
  return el(
    'div',
    { class: 'copyable' },
    el('pre', { tabindex: 0, 'aria-label': label }, text),
    el('div', { class: 'copyable-side' }, button(words.copy.copy, { onClick: () => void copy() }), said),
  )
}

/** What has happened so far, as it happens. */
export function stages(): { readonly element: HTMLElement; add(state: 'done' | 'now' | 'failed', text: string): void } {
  const list = el('ol', { class: 'stages', 'aria-live': 'polite' })
  return {
    element: list,
    add(state, text) {
      const before = list.lastElementChild
      if (before?.className === 'stage-now') before.remove()
      const mark = state === 'done' ? '✓' : state === 'now' ? '◌' : '✕'
      list.append(el('li', { class: `stage-${state}` }, el('span', { class: 'stage-mark', 'aria-hidden': 'true' }, mark), text))
    },
  }
}

const clockText = (seconds: number) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
const RADIUS = 9
const AROUND = 2 * Math.PI * RADIUS

/** Time left until `exp` (Unix seconds), as a ring and as text. Screen readers hear it at the end only. */
export function countdown(
  exp: number,
  whole: number,
  now: () => number,
  onEnd: () => void,
): { readonly element: HTMLElement; stop(): void } {
  const arc = svg('circle', { cx: 12, cy: 12, r: RADIUS, class: 'ring-left', 'stroke-dasharray': AROUND })
  const ring = svg(
    'svg',
    { viewBox: '0 0 24 24', class: 'ring', 'aria-hidden': 'true' },
    svg('circle', { cx: 12, cy: 12, r: RADIUS, class: 'ring-all' }),
    arc,
  )
  const text = el('span', { class: 'ring-text' })
  const element = el('span', { class: 'countdown', role: 'timer', 'aria-label': words.left }, ring, text)
  const draw = () => {
    const left = Math.max(0, exp - now())
    text.textContent =
      left > 86_400 ? words.days(Math.floor(left / 86_400)) : left > 3_600 ? words.hours(Math.floor(left / 3_600)) : clockText(left)
    arc.setAttribute('stroke-dashoffset', String(AROUND * (1 - Math.min(1, left / whole))))
    element.classList.toggle('countdown-short', left < 60)
    if (left > 0) return
    stop()
    onEnd()
  }
  const timer = setInterval(draw, 1_000)
  const stop = () => clearInterval(timer)
  draw()
  return { element, stop }
}
