const CONTEXT = 2

/** What changed between two texts, as lines: one block, since an edit is in one place. `-` was there, `+` is new. */
export function lineDiff(before: string, after: string): readonly string[] {
  const [old, now] = [before, after].map((text) => (text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/))) as [string[], string[]]
  let head = 0
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1
  let tail = 0
  const isSame = (i: number) => old[old.length - 1 - i] === now[now.length - 1 - i]
  while (tail < old.length - head && tail < now.length - head && isSame(tail)) tail += 1
  const first = Math.max(0, head - CONTEXT)
  return [
    `@@ line ${first + 1}`,
    ...old.slice(first, head).map((line) => `  ${line}`),
    ...old.slice(head, old.length - tail).map((line) => `- ${line}`),
    ...now.slice(head, now.length - tail).map((line) => `+ ${line}`),
    ...old.slice(old.length - tail, old.length - tail + CONTEXT).map((line) => `  ${line}`),
  ]
}
