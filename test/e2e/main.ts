// `npm run e2e`: Playwright on the stories beside this file; arguments go to it. Without a Chromium it says so and passes.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { skipped } from '../skipped.ts'
import { findChromium } from './chromium.ts'

const root = join(import.meta.dirname, '../..')
const chromium = findChromium()
if (chromium) {
  const playwright = join(root, 'node_modules/@playwright/test/cli.js')
  const args = [playwright, 'test', '--config', 'test/playwright.config.ts', ...process.argv.slice(2)]
  const env = { ...process.env, POSTERN_CHROMIUM: chromium }
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' })
  if (error) throw error
  process.exitCode = status ?? 1
} else {
  const named = process.env.POSTERN_CHROMIUM
  skipped(
    'e2e',
    named ? `no Chromium at ${named} (POSTERN_CHROMIUM)` : 'no Chromium on this machine (apt install chromium, or POSTERN_CHROMIUM)',
  )
}
