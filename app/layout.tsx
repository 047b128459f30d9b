import type { Metadata, Viewport } from 'next'
import type { ReactNode } from 'react'
import './globals.css'

/** The Content-Security-Policy has a nonce per answer, so no page can be made at build time. */
export const dynamic = 'force-dynamic'
export const metadata: Metadata = { title: 'Postern', description: "A control plane you don't have to trust" }
export const viewport: Viewport = { colorScheme: 'light dark' }

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body className="bg-white text-zinc-900 dark:bg-zinc-950 dark:text-zinc-100">{children}</body>
    </html>
  )
}
