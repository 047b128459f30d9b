// What the tour shows: one line per step while it goes, a summary, and the document of `--json`.

/** One line of the tour. */
export interface Step {
  readonly name: string
  readonly ok: boolean
  readonly ms: number
  readonly code?: string
  /** Why it did not run here. Neither passed nor failed. */
  readonly skipped?: string
}

/** `allowed`: legitimate calls that ran. `refused`: attacks that were refused. `failed`: steps that were not as they should be. */
export interface Summary {
  readonly steps: readonly Step[]
  readonly allowed: number
  readonly refused: number
  readonly failed: number
}

/** What a step is for: setting up, a call that must run, an attack that must not. */
export type Purpose = 'done' | 'allowed' | 'refused'
/** What came out of a step that did not fail. */
export interface Result {
  readonly code?: string
  /** For people: what was seen. */
  readonly note?: string
  readonly skipped?: string
  /** Instead of how long the step took. */
  readonly ms?: number
}

export interface ReportOptions {
  readonly write: (text: string) => void
  readonly color: boolean
  /** A terminal: the line of a step stands there while it runs. */
  readonly live: boolean
  /** Once it fires, no further step begins. */
  readonly stop: AbortSignal
}

const MARKS = { done: '✓', allowed: '✓ allowed', refused: '✓ refused', failed: '✕ FAILED', skipped: '– skipped' } as const
const COLORS = { done: 32, allowed: 32, refused: 36, failed: 31, skipped: 33, dim: 2, bold: 1 } as const
const NAME_COLUMNS = 66

export class Report {
  readonly #steps: Step[] = []
  readonly #counts = { allowed: 0, refused: 0, failed: 0 }
  readonly #options: ReportOptions

  constructor(options: ReportOptions) {
    this.#options = options
  }

  get summary(): Summary {
    return { steps: this.#steps, ...this.#counts }
  }

  say(text = ''): void {
    this.#options.write(`${text}\n`)
  }

  section(title: string): void {
    this.say(`\n${this.#paint('bold', title)}`)
  }

  /** Runs a step and writes its line. @returns false when it failed; the reason stands below the line. */
  async step(purpose: Purpose, name: string, run: () => Promise<Result | undefined>): Promise<boolean> {
    const { live, write, stop } = this.#options
    stop.throwIfAborted()
    if (live) write(`  ◌ ${name}`)
    const began = performance.now()
    try {
      const { code, note, skipped, ms = since(began) } = (await run()) ?? {}
      if (!skipped && purpose !== 'done') this.#counts[purpose] += 1
      this.#line(skipped ? 'skipped' : purpose, { name, ok: true, ms, ...(code ? { code } : {}), ...(skipped ? { skipped } : {}) }, note)
      return true
    } catch (error) {
      stop.throwIfAborted() // it failed because everything is being ended
      this.#counts.failed += 1
      this.#line('failed', { name, ok: false, ms: since(began), ...codeOf(error) }, messageOf(error))
      return false
    }
  }

  #line(mark: keyof typeof MARKS, step: Step, note: string | undefined): void {
    this.#steps.push(step)
    const { name, ms, code, skipped } = step
    const isDone = mark === 'done'
    const head = this.#paint(mark, MARKS[mark].padEnd(isDone ? 1 : 10))
    const what = [name.padEnd(NAME_COLUMNS), `${ms} ms`.padStart(9), code ?? ''].join('  ').trimEnd()
    this.#options.write(`${this.#options.live ? '\r\u001b[2K' : ''}  ${head} ${what}\n`)
    const margin = ' '.repeat(isDone ? 4 : 13)
    for (const line of (skipped ?? note ?? '').split('\n').filter(Boolean)) this.say(this.#paint('dim', margin + line))
  }

  #paint(color: keyof typeof COLORS, text: string): string {
    return this.#options.color ? `\u001b[${COLORS[color]}m${text}\u001b[0m` : text
  }
}

const since = (began: number) => Math.round(performance.now() - began)

/** An attack that met another code than it should have: the code belongs in the document. */
export class UnexpectedCode extends Error {
  override name = 'UnexpectedCode'
  readonly code: string
  constructor(expected: string, code: string, note: string | undefined) {
    super(`expected ${expected}, found ${code}${note ? ` (${note})` : ''}`)
    this.code = code
  }
}

const codeOf = (error: unknown): { code?: string } => {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? { code } : {}
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
