import { appendFileSync } from 'node:fs'

/** Says that a part of the tests did not run here, and why. `npm test` ends with the list: skipped is never passed. */
export function skipped(what: string, why: string): void {
  const line = `skipped: ${what}, ${why}`
  console.log(line)
  if (process.env.POSTERN_SKIPPED_FILE) appendFileSync(process.env.POSTERN_SKIPPED_FILE, `${line}\n`)
}
