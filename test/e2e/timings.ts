// Prints how long the journeys took, whatever else the run prints: each as the story measured it, beside its target.
import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter'

export const TIMING = 'timing'

export default class Timings implements Reporter {
  readonly #lines: string[] = []

  onTestEnd(_test: TestCase, { annotations }: TestResult) {
    for (const { type, description } of annotations) if (type === TIMING && description) this.#lines.push(description)
  }

  onEnd() {
    if (this.#lines.length > 0) console.log(`\nTimings, by a robot:\n${this.#lines.map((line) => `  ${line}`).join('\n')}`)
  }

  printsToStdio() {
    return false
  }
}
