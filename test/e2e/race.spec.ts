// Two administrators want the same place in the log: one gets it, the other is told, and loses nothing.
import type { Page } from '@playwright/test'
import { encodeBase64url, policyDigest, utf8 } from '@postern/core'
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

  const draft = async (page: Page, name: string) => {
    const policy = utf8(JSON.stringify({ v: 1, name, rules: [] }))
    const body = { name, sha256: policyDigest(policy) }
    const { status, data } = await mutate<{ id: string }>(page, 'requests.draft', {
      ...{ op: 'policy.set', body, policy: encodeBase64url(policy) },
    })
    expect(status).toBe(200)
    await page.goto(`${postern.console}/requests/${data.id}`)
  }
  await draft(ana.page, 'hers')
  await draft(cy.page, 'his')
  const [first, second] = [await openSigner(ana, ana.page, /^Review and sign/), await openSigner(cy, cy.page, /^Review and sign/)]
  for (const signer of [first, second]) await expect(signer.getByRole('heading', { name: 'What you sign' })).toBeVisible()

  await sign(first)
  await press(second, /^Sign/)
  await expect(second.getByText('Somebody was faster').first()).toBeVisible()
  await second.close()
  await expect(cy.page.getByText('Somebody else’s statement took this place in the log', { exact: false }).first()).toBeVisible()

  await press(cy.page, 'Back')
  await sign(await openSigner(cy, cy.page, /^Draft again and sign/))
  await expect(cy.page.getByText('4 statements in the authority log')).toBeVisible() // genesis, @cy, and one of each
})
