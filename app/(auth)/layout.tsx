import type { ReactNode } from 'react'
import { Messages } from '../_ui/messages.tsx'

/** Pages of those who are not signed in: one card, nothing to navigate. */
export default function AuthLayout({ children }: { children: ReactNode }) {
  return (
    <Messages of={['auth']}>
      <main className="mx-auto flex min-h-dvh max-w-lg flex-col justify-center gap-6 p-4 sm:p-8">{children}</main>
    </Messages>
  )
}
