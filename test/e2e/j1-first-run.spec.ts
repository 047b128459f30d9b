// J1: nobody has heard of Postern; three minutes later somebody owns one, with a passkey.
import { found, press, signIn } from './stage/people.ts'
import { expect, test, timed } from './stage/story.ts'

for (const width of ['desktop', 'phone'] as const) {
  test(`the printed link leads to a founded organisation and a signed-in owner (${width})`, async ({ postern, device }) => {
    const ana = await device({ width })
    const { words } = await timed(`J1 genesis, ${width}`, 90, () => found(ana, postern, { passkeys: width === 'desktop' ? 2 : 1 }))
    expect(words).toHaveLength(8)
    await postern.up.said(new RegExp(`Genesis signed by @ana · log size 1 · ${words.join(' ')}`))
    expect(ana.credentials()).toHaveLength(width === 'desktop' ? 2 : 1)
    await signIn(ana, postern, '@ana')
    await expect(ana.page.getByText('To your first protected call')).toBeVisible()
    // No word of comparison is ever on a page of the console.
    expect(await ana.page.content()).not.toContain(words.slice(0, 4).join(' '))
  })
}

test('a link that was used says so, and who founded it; a second founding changes nothing', async ({ postern, device }) => {
  const ana = await device()
  await found(ana, postern)
  const eve = await device()
  await eve.page.goto(postern.genesisLink!)
  await press(eve.page, 'This address is right').catch(() => undefined)
  await expect(eve.page.getByText(/"acme" was founded here/)).toBeVisible()
})

test('a passkey prompt that is cancelled loses nothing', async ({ postern, device }) => {
  const ana = await device()
  await found(ana, postern)
  await ana.page.goto(`${postern.console}/sign-in`)
  await press(ana.page, 'Sign in with a passkey')
  await ana.page.waitForURL(`${postern.signer}/**`)
  await ana.refuseNext()
  await press(ana.page, 'Sign in as @ana')
  await expect(ana.page.getByText('Not signed.').first()).toBeVisible()
  await ana.acceptAgain()
  await press(ana.page, 'Open again')
  await ana.page.waitForURL(`${postern.console}/inbox`)
})

test('the console explains a host name at which nobody can sign in', async ({ postern, device }) => {
  const ana = await device()
  await found(ana, postern)
  await ana.page.goto(`${postern.console.replace('localhost', '127.0.0.1')}/sign-in`)
  await expect(ana.page.getByText('This is not the address at which people sign in')).toBeVisible()
  await expect(ana.page.getByRole('button', { name: 'Sign in with a passkey' })).toHaveCount(0)
})
