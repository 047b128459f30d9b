import type { Metadata, Viewport } from 'next'
import { headers } from 'next/headers'
import { NextIntlClientProvider } from 'next-intl'
import { getMessages, getTranslations } from 'next-intl/server'
import { NuqsAdapter } from 'nuqs/adapters/next/app'
import type { ReactNode } from 'react'
import { theme } from './_server/theme.ts'
import { StyleNonce } from './_ui/style-nonce.tsx'
import './globals.css'

/** The Content-Security-Policy has a nonce per answer, so no page can be made at build time. */
export const dynamic = 'force-dynamic'
export const viewport: Viewport = { colorScheme: 'light dark', width: 'device-width', initialScale: 1 }

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations('shell')
  return { title: { default: t('product'), template: `%s · ${t('product')}` }, description: t('claim') }
}

export default async function RootLayout({ children }: { children: ReactNode }) {
  const { shell, common } = await getMessages()
  return (
    <html lang="en" className={await theme()}>
      <body className="min-h-dvh font-sans antialiased">
        <StyleNonce nonce={(await headers()).get('x-nonce') ?? undefined}>
          <NextIntlClientProvider messages={{ shell, common }}>
            <NuqsAdapter>{children}</NuqsAdapter>
          </NextIntlClientProvider>
        </StyleNonce>
      </body>
    </html>
  )
}
