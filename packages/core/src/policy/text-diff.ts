/** A line of either text. `was` and `is` count from 1. */
export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added'
  readonly text: string
  readonly was?: number
  readonly is?: number
}

/** Beyond so many differing lines nobody reads a minimal diff, and finding it takes the square of their number. */
const MAX_EDITS = 1500

/** The lines of two texts, those of the first that are gone before those that take their place. Minimal up to `MAX_EDITS` edits. */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const a = before.split('\n')
  const b = after.split('\n')
  const lines: DiffLine[] = []
  let was = 0
  let is = 0
  const through = (untilA: number, untilB: number) => {
    while (was < untilA) lines.push({ kind: 'removed', text: a[was]!, was: ++was })
    while (is < untilB) lines.push({ kind: 'added', text: b[is]!, is: ++is })
  }
  for (const { a: startA, b: startB, length } of matches(a, b)) {
    through(startA, startB)
    for (let i = 0; i < length; i++) lines.push({ kind: 'same', text: a[was]!, was: ++was, is: ++is })
  }
  through(a.length, b.length)
  return lines
}

interface Match {
  readonly a: number
  readonly b: number
  readonly length: number
}

/** Runs of equal lines, in order (Myers 1986, on what is left between a common beginning and end). */
function matches(a: readonly string[], b: readonly string[]): readonly Match[] {
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  const middle = myers(a.slice(start, a.length - end), b.slice(start, b.length - end))
  return [
    { a: 0, b: 0, length: start },
    ...middle.map((match) => ({ ...match, a: match.a + start, b: match.b + start })),
    { a: a.length - end, b: b.length - end, length: end },
  ].filter(({ length }) => length > 0)
}

function myers(a: readonly string[], b: readonly string[]): readonly Match[] {
  const trace: Map<number, number>[] = []
  let furthest = new Map<number, number>([[1, 0]])
  for (let d = 0; d <= Math.min(a.length + b.length, MAX_EDITS); d++) {
    trace.push(furthest)
    furthest = new Map(furthest)
    for (let k = -d; k <= d; k += 2) {
      let x = goesDown(furthest, k, d) ? furthest.get(k + 1)! : furthest.get(k - 1)! + 1
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++
      furthest.set(k, x)
      if (x >= a.length && x - k >= b.length) return walkBack(trace, a.length, b.length)
    }
  }
  return []
}
const goesDown = (furthest: ReadonlyMap<number, number>, k: number, d: number): boolean =>
  k === -d || (k !== d && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1))

function walkBack(trace: readonly ReadonlyMap<number, number>[], lengthA: number, lengthB: number): readonly Match[] {
  const found: Match[] = []
  let x = lengthA
  let y = lengthB
  for (let d = trace.length - 1; d >= 0; d--) {
    const k = x - y
    const from = goesDown(trace[d]!, k, d) ? k + 1 : k - 1
    const startX = d === 0 ? 0 : trace[d]!.get(from)!
    const startY = d === 0 ? 0 : startX - from
    const length = Math.min(x - startX, y - startY)
    if (length > 0) found.push({ a: x - length, b: y - length, length })
    x = startX
    y = startY
  }
  return found.reverse()
}

/** `conflicts` counts places where both changed the same lines; there `text` has what `mine` says. */
export interface Merged {
  readonly text: string
  readonly conflicts: number
}

/** Takes over what either side changed since `base`, line by line. What both changed in the same way is no conflict. */
export function mergeLines(base: string, mine: string, theirs: string): Merged {
  const anchors = commonLines(base, mine, theirs)
  const texts = { base: base.split('\n'), mine: mine.split('\n'), theirs: theirs.split('\n') }
  const lines: string[] = []
  let conflicts = 0
  let at = { base: 0, mine: 0, theirs: 0 }
  for (const anchor of [...anchors, { base: texts.base.length, mine: texts.mine.length, theirs: texts.theirs.length }]) {
    const parts = [
      texts.base.slice(at.base, anchor.base),
      texts.mine.slice(at.mine, anchor.mine),
      texts.theirs.slice(at.theirs, anchor.theirs),
    ]
    const [was, own, other] = parts.map((part) => JSON.stringify(part))
    const isConflict = own !== was && other !== was && own !== other
    if (isConflict) conflicts++
    lines.push(...(own === was ? parts[2]! : parts[1]!))
    if (anchor.base < texts.base.length) lines.push(texts.base[anchor.base]!)
    at = { base: anchor.base + 1, mine: anchor.mine + 1, theirs: anchor.theirs + 1 }
  }
  return { text: lines.join('\n'), conflicts }
}

/** Lines of `base` that stand in both others. */
function commonLines(base: string, mine: string, theirs: string) {
  const placesIn = (other: string) =>
    new Map(diffLines(base, other).flatMap(({ kind, was, is }) => (kind === 'same' ? [[was! - 1, is! - 1] as const] : [])))
  const inTheirs = placesIn(theirs)
  return [...placesIn(mine)].flatMap(([at, own]) => {
    const other = inTheirs.get(at)
    return other === undefined ? [] : [{ base: at, mine: own, theirs: other }]
  })
}
