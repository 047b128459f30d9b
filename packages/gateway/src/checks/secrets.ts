import { Buffer } from 'node:buffer'
import { lintSource } from '@secretlint/core'
import { creator } from '@secretlint/secretlint-rule-preset-recommend'
import type { Finding } from './secret-shapes.ts'
import { findShapes, isFiller } from './secret-shapes.ts'

const CONFIG = { rules: [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: creator }] } as unknown as Parameters<
  typeof lintSource
>[0]['options']['config']
const FILE = { filePath: '/result.txt', ext: '.txt', contentType: 'text' } as const

/**
 * Secrets in a text: those of vendors that secretlint knows, and those that look like one (`findShapes`); also inside base64, hexadecimal
 * and percent-encoding, and with invisible characters between. Does NOT find what is split over several texts, spelled out in words or
 * encrypted. Findings are sorted and do not overlap.
 */
export async function findSecrets(text: string): Promise<readonly Finding[]> {
  const plain = withoutInvisible(text)
  const direct = (await findIn(plain.text)).map((finding) => ({
    ...finding,
    start: plain.indexOf(finding.start),
    end: plain.indexOf(finding.end - 1) + 1,
  }))
  return disjoint([...direct, ...(await encodedSecrets(text))])
}

async function findIn(text: string): Promise<readonly Finding[]> {
  const { messages } = await lintSource({ source: { ...FILE, content: text }, options: { config: CONFIG, noPhysicFilePath: true } })
  const known = messages.flatMap(({ range: [start, end], ruleId }) =>
    isNoSecret(text.slice(start, end), ruleId) ? [] : [{ start, end, kind: ruleId.replace('@secretlint/secretlint-rule-', '') }],
  )
  return [...known, ...findShapes(text)]
}

/** What stands for one in a form; and Slack's tokens begin with numbers of a workspace, which its rule does not ask for. */
const isNoSecret = (text: string, rule: string): boolean => isFiller(text) || (rule.endsWith('-slack') && !/\d{3}|https?:/.test(text))

/** Zero-width, soft-hyphen, variation and tag characters, which break a secret without anybody seeing it. */
const INVISIBLE = /\u00ad|[\u200b-\u200f\u2060-\u2064\ufeff]|[\ufe00-\ufe0f]|[\u{e0000}-\u{e007f}]/u

interface Stripped {
  readonly text: string
  /** Where a character of the stripped text stands in the original one. */
  indexOf(at: number): number
}

function withoutInvisible(text: string): Stripped {
  if (!INVISIBLE.test(text)) return { text, indexOf: (at) => at }
  const kept: string[] = []
  const places: number[] = []
  let at = 0
  for (const character of text) {
    if (!INVISIBLE.test(character)) {
      kept.push(character)
      for (let unit = 0; unit < character.length; unit += 1) places.push(at + unit)
    }
    at += character.length
  }
  return { text: kept.join(''), indexOf: (index) => places[index] ?? text.length }
}

/** Encoded runs that are looked into, per text: one that is all encoding is one run. */
const MAX_ENCODED = 256
const ENCODINGS: readonly (readonly [run: RegExp, decode: (run: string) => string])[] = [
  [/[A-Za-z0-9+/_-]{24,}={0,2}/g, (run) => Buffer.from(run, 'base64').toString('utf8')],
  [/(?:[0-9a-fA-F]{2}){16,}/g, (run) => Buffer.from(run, 'hex').toString('utf8')],
  [/(?:[\w.~*'()!+-]|%[0-9a-fA-F]{2}){16,}/g, (run) => (run.includes('%') ? decoded(run) : '')],
]

async function encodedSecrets(text: string): Promise<readonly Finding[]> {
  const found: Finding[] = []
  for (const [pattern, decode] of ENCODINGS) {
    let runs = 0
    for (const { 0: run, index } of text.matchAll(pattern)) {
      if (++runs > MAX_ENCODED) break
      const inside = decode(run)
      if (!isText(inside)) continue
      const [first] = await findIn(inside)
      if (first) found.push({ start: index, end: index + run.length, kind: first.kind })
    }
  }
  return found
}

function decoded(run: string): string {
  try {
    return decodeURIComponent(run)
  } catch {
    return ''
  }
}

/** Whether decoding gave something that was text before, and not noise. */
const isText = (value: string): boolean => value.length >= 12 && /^[\t\n\r\x20-\x7e\u00a0-\u024f]+$/.test(value)

function disjoint(findings: readonly Finding[]): readonly Finding[] {
  const kept: Finding[] = []
  for (const finding of findings.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = kept.at(-1)
    if (!last || finding.start >= last.end) kept.push(finding)
    else if (finding.end > last.end) kept[kept.length - 1] = { ...last, end: finding.end }
  }
  return kept
}
