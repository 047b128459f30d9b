import type { App } from '../app.ts'
import { ControlRefusal } from '../authority/net.ts'
import { SignerError } from '../errors.ts'
import type { Child } from '../page/element.ts'
import { el } from '../page/element.ts'
import { actions, button, link, notice } from '../page/parts.ts'
import { words } from '../words.ts'

export interface Back {
  readonly href: string
}

/** Why nothing is signed, what did not change, what to do next. Never a blank page, never a stack. */
export function showRefusal(
  app: App,
  error: unknown,
  options: { readonly back?: Back | undefined; readonly again?: () => void } = {},
): void {
  const { title, text, detail, request } = explain(error)
  app.page.show({
    ...{ over: words.refused.over, title, lead: text, kind: 'refused' },
    body: [
      notice('info', words.refused.nothingSigned),
      detail && el('p', { class: 'fine detail' }, `${words.refused.detail} `, el('code', {}, detail)),
      request && el('p', { class: 'fine' }, `${words.refused.request} `, el('code', {}, request)),
      actions(backLink(options.back), options.again && button(words.refused.again, { kind: 'primary', onClick: options.again })),
    ],
  })
  app.page.say(`${title}. ${text}`)
}

function explain(error: unknown): { title: string; text: string; detail?: string | undefined; request?: string | undefined } {
  if (error instanceof ControlRefusal) {
    const { title, text } = words.controlRefusals[error.code as keyof typeof words.controlRefusals] ?? words.refusals.CONTROL_REFUSED
    return { title, text, detail: `${error.code}: ${error.message}`, request: error.requestId }
  }
  if (error instanceof SignerError) {
    const { title, text } = words.refusals[error.code]
    return { title, text, detail: error.detail || undefined }
  }
  const { title, text } = words.unexpected
  return { title, text, detail: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
}

export const backLink = (back: Back | undefined): Child => (back ? link(words.back, back.href) : undefined)

/** `back` is a path that the request's schema has checked; the origin is the control plane's. */
export const backOf = (request: { readonly control: string; readonly back?: string }): Back => ({
  href: `${request.control}${request.back ?? '/'}`,
})

/** Only a window that a script opened closes itself; in others nothing would happen, so the button is not there. */
export const closeButton = (): Child => (window.history.length <= 1 ? button(words.close, { onClick: () => window.close() }) : undefined)

export function showCancelled(app: App, back: Back | undefined, again: () => void): void {
  app.page.show({
    ...{ title: words.cancelled.title, lead: words.cancelled.text },
    body: actions(backLink(back), closeButton(), button(words.decide.again, { kind: 'primary', onClick: again })),
  })
}
