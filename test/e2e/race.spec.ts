// Two administrators want the same place in the log: one gets it, the other is told, and loses nothing.
import type { Page } from '@playwright/test'
import { mutate } from './stage/console.ts'
import { found, invite, openSigner, press, sign, signIn } from './stage/people.ts'
import { expect, test } from './stage/story.ts'

test('of two administrators who sign at once one is told who was faster, drafts again, and both statements are in the log', async ({
  postern,
  device,
}) => {
  const ana = await device({ hasPrf: false })
  const cy = await device({ hasPrf: false })
  await found(ana, postern)
  await signIn(ana, postern, '@ana')
  await invite(ana, cy, postern, '@cy', { isAdmin: true })

  const draft = async (page: Page, m: number) => {
    const thresholds = { root: { m }, sensitive: { m: 1 }, routine: { m: 1 } }
    const { status, data } = await mutate<{ id: string }>(page, 'requests.draft', { op: 'threshold.set', body: { thresholds } })
    expect(status).toBe(200)
    await page.goto(`${postern.console}/requests/${data.id}`)
  }
  await draft(ana.page, 2)
  await draft(cy.page, 1)
  const [first, second] = [await openSigner(ana, ana.page, /^Review and sign/), await openSigner(cy, cy.page, /^Review and sign/)]
  for (const signer of [first, second]) await expect(signer.getByRole('heading', { name: 'What you sign' })).toBeVisible()

  await sign(first)
  await press(second, /^Sign/)
  await expect(second.getByText('Somebody was faster').first()).toBeVisible()
  await second.close()
  await expect(cy.page.getByText('Somebody else’s statement took this place in the log', { exact: false }).first()).toBeVisible()

  // By now the root needs two: the same wish, drafted again, says what it means today, and waits for the other one.
  const again = await openSigner(cy, cy.page, /^Draft again and sign/)
  await sign(again)
  await ana.page.goto(`${postern.console}/inbox`)
  await sign(await openSigner(ana, ana.page, /^Review and sign/))
  const { data } = await cy.page.evaluate(async () => (await (await fetch('/api/trpc/status.overview')).json()).result)
  expect(data.head.seq).toBeGreaterThanOrEqual(3)
})
