/** A child of an element. Text becomes a text node: nothing here ever parses HTML. */
export type Child = Node | string | undefined | false | readonly Child[]
type Handlers = { readonly [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void }
export interface Attributes {
  readonly [name: string]: string | number | boolean | undefined | Handlers
  readonly on?: Handlers
}

const SVG = 'http://www.w3.org/2000/svg'

function fill<E extends Element>(element: E, { on, ...attributes }: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const [name, handler] of Object.entries(on ?? {})) element.addEventListener(name, handler as EventListener)
  append(element, children)
  return element
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === undefined || child === false) continue
    if (Array.isArray(child)) append(element, child as readonly Child[])
    else element.append(child as Node | string)
  }
}

export const el = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] => fill(document.createElement(tag), attributes, children)

export const svg = (tag: string, attributes: Attributes = {}, ...children: Child[]): SVGElement =>
  fill(document.createElementNS(SVG, tag) as SVGElement, attributes, children)
