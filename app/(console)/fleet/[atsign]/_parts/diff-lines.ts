export interface Line {
  readonly kind: 'same' | 'removed' | 'added'
  readonly text: string
}

/** Beyond so many lines each text is shown whole instead of compared: the table of the comparison grows with their product. */
const MAX_LINES = 1_500

/** Lines of two texts side by side in one list: those of the longest common subsequence once, the others as removed or added. */
export function diffLines(before: string, after: string): readonly Line[] {
  const [a, b] = [before.split('\n'), after.split('\n')]
  const line = (kind: Line['kind']) => (text: string) => ({ kind, text })
  if (a.length > MAX_LINES || b.length > MAX_LINES) return [...a.map(line('removed')), ...b.map(line('added'))]
  const common = commonLengths(a, b)
  const lines: Line[] = []
  let [i, j] = [0, 0]
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      lines.push({ kind: 'same', text: a[i]! })
      i += 1
      j += 1
    } else if (common[i + 1]![j]! >= common[i]![j + 1]!) lines.push({ kind: 'removed', text: a[i++]! })
    else lines.push({ kind: 'added', text: b[j++]! })
  }
  return [...lines, ...a.slice(i).map(line('removed')), ...b.slice(j).map(line('added'))]
}

/** `[i][j]`: length of the longest common subsequence of `a` from i and `b` from j. */
function commonLengths(a: readonly string[], b: readonly string[]): readonly Uint16Array[] {
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      table[i]![j] = a[i] === b[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!)
    }
  }
  return table
}
