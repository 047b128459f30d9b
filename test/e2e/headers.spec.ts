// What every page says to the browser, whoever looks at it.
import { expect, test } from './stage/story.ts'

test('no page of the console lets a script or style in that it did not write itself', async ({ postern, device }) => {
  const { page } = await device()
  for (const path of ['/', '/sign-in', '/no/such/page']) {
    const answer = await page.goto(`${postern.console}${path}`)
    const policy = answer!.headers()['content-security-policy']!
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe-(inline|eval|hashes)|\*|https?:|data:/)
    expect(answer!.headers()['cross-origin-opener-policy']).toBe('same-origin')
    expect(answer!.headers()['referrer-policy']).toBe('no-referrer')
  }
})

test('a policy has a new nonce with every answer', async ({ postern, device }) => {
  const { page } = await device()
  const nonces = []
  for (let i = 0; i < 3; i++) {
    const answer = await page.goto(postern.console)
    nonces.push(/'nonce-([^']+)'/.exec(answer!.headers()['content-security-policy']!)![1])
  }
  expect(new Set(nonces).size).toBe(3)
})
