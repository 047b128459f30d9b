import { redirect } from 'next/navigation'
import { getTranslations } from 'next-intl/server'
import type { ReactNode } from 'react'
import { caller } from '../_server/caller.ts'
import { session } from '../_server/session.ts'
import { theme } from '../_server/theme.ts'
import { DataProvider } from '../_trpc/client.tsx'
import { ClockProvider } from '../_ui/clock.tsx'
import { LiveProvider } from '../_ui/live.tsx'
import { Header } from './_parts/header.tsx'
import { Keys } from './_parts/keys.tsx'
import { LogSize } from './_parts/log-size.tsx'
import { PhoneBar, SideNav } from './_parts/side-nav.tsx'

/** Every page of somebody who is signed in. Authority is checked by each procedure, not here. */
export default async function ConsoleLayout({ children }: { children: ReactNode }) {
  const who = await session()
  if (!who) redirect('/sign-in')
  const [t, { organisation, head, demo }] = await Promise.all([getTranslations('shell'), (await caller()).status.overview()])
  const { atsign, role } = who.actor
  return (
    <DataProvider>
      <ClockProvider now={Math.floor(Date.now() / 1000)}>
        <LiveProvider>
          <a
            href="#main"
            className="sr-only focus:not-sr-only focus:fixed focus:start-2 focus:top-2 focus:z-50 focus:rounded focus:bg-surface focus:px-3 focus:py-2"
          >
            {t('skip')}
          </a>
          <div className="flex min-h-dvh flex-col">
            {demo && <p className="border-warn border-b bg-warn-soft px-4 py-1.5 text-sm">{t('demo')}</p>}
            <Header organisation={organisation?.name ?? ''} atsign={atsign} role={role} theme={await theme()} />
            <div className="flex grow max-sm:flex-col">
              <SideNav />
              <main id="main" tabIndex={-1} className="min-w-0 grow outline-none max-sm:pb-20">
                {children}
              </main>
            </div>
            <footer className="flex flex-wrap items-center gap-x-4 gap-y-1 border-line border-t px-4 py-2 text-xs text-muted max-sm:hidden">
              {head && <LogSize seq={head.seq} />}
              <span>{t('footer.notTrusted')}</span>
            </footer>
          </div>
          <PhoneBar />
          <Keys />
        </LiveProvider>
      </ClockProvider>
    </DataProvider>
  )
}
