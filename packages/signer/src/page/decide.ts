import { SignerError } from '../errors.ts'
import { words } from '../words.ts'
import type { Attention } from './arming.ts'
import { browserAttention, watchArming } from './arming.ts'
import type { Child } from './element.ts'
import { el } from './element.ts'
import { actions, button, notice } from './parts.ts'

/** Something that must be so before anything can be signed. */
export interface Gate {
  isOpen(): boolean
  /** Why the button does nothing, in words. */
  readonly reason: string
  /** Set by the panel: to be called when `isOpen` may have changed. */
  onChange?: () => void
}

/** `tell` says what is being waited for, when that is more than one thing. */
type Run<T> = (tell: (text: string) => void) => Promise<T>

export interface DecideOptions<T> {
  /** Asks the passkey. CANCELLED leaves everything as it was. */
  readonly sign: { readonly label: string; readonly run: Run<T> }
  /** Second one of equal weight, on the left; it is armed like the first when it signs too. */
  readonly other?: { readonly label: string; readonly run: Run<T>; readonly isSigned?: boolean; readonly ungated?: boolean }
  readonly gates?: readonly Gate[]
  readonly more?: Child
  readonly say: (text: string) => void
  readonly attention?: Attention
}

/**
 * The end of every screen that signs: its buttons, armed by attention, with the reason beside them while they are not. Enter never presses
 * them. A cancelled prompt is no answer: *Not signed. Open again · Cancel*.
 * @returns what was signed or decided, or `cancelled`
 */
export function decide<T>({ sign, other, gates = [], more, say, attention = browserAttention }: DecideOptions<T>): {
  readonly element: HTMLElement
  readonly done: Promise<T | 'cancelled'>
  /** Takes the panel away; `done` stays open. */
  stop(): void
} {
  const { promise, resolve, reject } = Promise.withResolvers<T | 'cancelled'>()
  const reason = el('p', { class: 'reason', id: 'why-not' })
  const panel = el('div', { class: 'decide' })
  const signButton = armedButton(sign.label, 'primary', () => void attempt(sign.run))
  const otherButton = other && armedButton(other.label, 'plain', () => void attempt(other.run))
  const closed = () => gates.find((gate) => !gate.isOpen())
  const arming = watchArming(attention, () => !closed(), draw)
  const otherArming = other?.ungated || (other && !other.isSigned) ? watchArming(attention, () => true, draw) : undefined
  for (const gate of gates) {
    gate.onChange = () => {
      arming.look()
      draw()
    }
  }
  const ready = () => panel.replaceChildren(el('div', { class: 'more' }, more), actions(otherButton, signButton), reason)
  let isBusy = false
  let waitingFor: string = words.decide.waiting
  let againButton: HTMLButtonElement | undefined

  function armedButton(label: string, kind: 'primary' | 'plain', onClick: () => void): HTMLButtonElement {
    const element = button(label, { kind, onClick })
    element.setAttribute('aria-describedby', 'why-not')
    element.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') event.preventDefault() // Space presses it; Enter belongs to fields and dialogs
    })
    return element
  }

  function draw(): void {
    signButton.disabled = isBusy || !arming.isArmed()
    if (againButton) againButton.disabled = isBusy || !arming.isArmed()
    if (otherButton) otherButton.disabled = isBusy || !(otherArming ?? arming).isArmed()
    signButton.classList.toggle('button-arming', !isBusy && !closed() && attention.isThere() && !arming.isArmed())
    const gate = closed()
    reason.textContent = isBusy ? waitingFor : gate ? gate.reason : arming.isArmed() ? words.decide.space : words.decide.look
  }

  async function attempt(run: Run<T>): Promise<void> {
    const isAllowed = run === sign.run ? arming.isArmed() : (otherArming ?? arming).isArmed()
    if (isBusy || !isAllowed) return
    isBusy = true
    const tell = (text: string) => {
      waitingFor = text
      draw()
      say(text)
    }
    tell(words.decide.waiting)
    try {
      resolve(await run(tell))
    } catch (error) {
      if (!(error instanceof SignerError) || error.code !== 'CANCELLED') return reject(error)
      isBusy = false
      askAgain(run)
    }
  }

  function askAgain(run: Run<T>): void {
    const again = armedButton(words.decide.again, 'primary', () => {
      ready()
      againButton = undefined
      void attempt(run)
    })
    againButton = again
    panel.replaceChildren(
      notice('warn', words.decide.notSigned, words.decide.notSignedText),
      actions(button(words.decide.cancel, { onClick: () => resolve('cancelled') }), again),
    )
    say(words.decide.notSigned)
    draw()
  }

  ready()
  draw()
  const stop = () => {
    arming.stop()
    otherArming?.stop()
  }
  return { element: panel, done: promise.finally(stop), stop }
}
