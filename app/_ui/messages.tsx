import { NextIntlClientProvider } from 'next-intl'
import { getMessages } from 'next-intl/server'
import type { ReactNode } from 'react'

/** Adds a page's own texts to those that every page has: only the page that was opened is shipped. */
export async function Messages({ of, children }: { of: readonly string[]; children: ReactNode }) {
  const messages = await getMessages()
  const wanted = ['shell', 'common', ...of].map((name) => [name, messages[name]])
  return <NextIntlClientProvider messages={Object.fromEntries(wanted)}>{children}</NextIntlClientProvider>
}
