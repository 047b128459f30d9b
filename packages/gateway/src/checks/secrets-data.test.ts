import { expect, test } from 'vitest'
import { readSharedData } from '../../../../test/shared-data.ts'
import { skipped } from '../../../../test/skipped.ts'
import { findSecrets } from './secrets.ts'

const corpus = readSharedData('dlp/corpus.jsonl.gz')
const results = ['agentdojo', 'agentdyn'].map((name) => readSharedData(`${name}/recorded/blobs.jsonl.gz`))
if (!corpus || results.includes(undefined)) skipped('secrets in published strings and recorded results', 'no external data')

const linesOf = <T>(text: string): readonly T[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

test.runIf(corpus)('on published strings: recall at least 0.60 with precision at least 0.90, look-alikes at most 8 %', async () => {
  const strings = linesOf<{ label: 'secret' | 'benign'; textB64: string }>(corpus!)
  const hits = { secret: 0, benign: 0 }
  const total = { secret: 0, benign: 0 }
  for (const { label, textB64 } of strings) {
    total[label] += 1
    if ((await findSecrets(Buffer.from(textB64, 'base64').toString('utf8'))).length > 0) hits[label] += 1
  }
  expect(hits.secret / total.secret).toBeGreaterThanOrEqual(0.6)
  expect(hits.secret / (hits.secret + hits.benign)).toBeGreaterThanOrEqual(0.9)
  expect(hits.benign / total.benign).toBeLessThanOrEqual(0.08)
})

test.runIf(!results.includes(undefined))('of recorded tool results at most 0.5 % are altered', async () => {
  const texts = results.flatMap((file) => linesOf<{ text: string }>(file!))
  let altered = 0
  for (const { text } of texts) if ((await findSecrets(text)).length > 0) altered += 1
  expect(altered / texts.length).toBeLessThanOrEqual(0.005)
})
