import { defineConfig } from '@playwright/test'

const { POSTERN_E2E_REPORT, POSTERN_CHROMIUM } = process.env

export default defineConfig({
  testDir: 'e2e',
  outputDir: '../test-results/e2e',
  // A story starts its own Postern, several processes and a browser: two at a time are as many as a small machine has room for.
  workers: 2,
  timeout: 180_000,
  expect: { timeout: 20_000 },
  reporter: [['list'], ['./e2e/timings.ts'], ...(POSTERN_E2E_REPORT ? [['json', { outputFile: POSTERN_E2E_REPORT }] as const] : [])],
  use: {
    launchOptions: { ...(POSTERN_CHROMIUM ? { executablePath: POSTERN_CHROMIUM } : {}) },
    screenshot: 'only-on-failure',
    actionTimeout: 20_000,
    navigationTimeout: 30_000,
  },
})
