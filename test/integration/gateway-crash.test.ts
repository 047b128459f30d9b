// A gateway killed with SIGKILL at any moment, twenty times, on the same files. Invariant 7 across processes.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'

const child = join(import.meta.dirname, '../fixtures/gateway/crash-child.ts')
const rounds = 20

interface Line {
  ready?: true
  began?: number
  ended?: number
  code?: string
  receipt?: string
  posted?: string[]
}

/** Runs until `killAfter` lines were said since it was ready (or to its end), and returns all lines. */
async function run(input: { home: string; start: number; open: number[]; calls: number }, killAfter: number): Promise<Line[]> {
  const process_ = spawn(process.execPath, [child, JSON.stringify(input)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: Line[] = []
  let left = Number.POSITIVE_INFINITY
  for await (const text of createInterface({ input: process_.stdout })) {
    const line: Line = JSON.parse(text)
    lines.push(line)
    left = line.ready ? killAfter : left - 1
    if (left <= 0) process_.kill('SIGKILL')
  }
  return lines
}

test('nothing that was acknowledged is lost, nothing runs twice, nothing that may have run is run again', {
  timeout: 420_000,
}, async () => {
  const home = mkdtempSync(join(tmpdir(), 'postern-crash-'))
  const outcomes = new Map<number, { code: string; receipt: string }>()
  const posted = new Set<string>()
  let start = 0
  let open: number[] = []
  const take = (lines: Line[]) => {
    const began = lines.flatMap(({ began }) => (began === undefined ? [] : [began]))
    for (const { ended, code, receipt, posted: sent } of lines) {
      for (const token of sent ?? []) posted.add(token)
      if (ended === undefined) continue
      const before = outcomes.get(ended)
      if (before) expect({ code, receipt }).toEqual(before) // an outcome never changes
      outcomes.set(ended, { code: code!, receipt: receipt! })
    }
    start = Math.max(start, ...began.map((n) => n + 1))
    open = [...new Set([...open, ...began])].filter((n) => !outcomes.has(n))
  }
  for (let round = 0; round < rounds; round++) take(await run({ home, start, open, calls: 400 }, (round * 7) % 23))
  take(await run({ home, start, open, calls: 4 }, Number.POSITIVE_INFINITY))

  expect(open).toEqual([])
  const marks = existsSync(join(home, 'count')) ? readFileSync(join(home, 'count'), 'utf8').trim().split('\n').map(Number) : []
  expect(new Set(marks).size).toBe(marks.length)
  for (const [n, { code }] of outcomes) {
    expect(['OK', 'OUTCOME_UNKNOWN', 'SERVER_FAILED']).toContain(code)
    if (code === 'OK') expect(marks).toContain(n)
  }
  expect([...outcomes.values()].filter(({ code }) => code === 'OK').length).toBeGreaterThan(rounds)
  for (const { receipt } of outcomes.values()) expect(posted.has(receipt)).toBe(true)
  rmSync(home, { recursive: true, force: true })
})
