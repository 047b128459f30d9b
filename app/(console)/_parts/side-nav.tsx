'use client'
import { useQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { usePathname } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useTRPC } from '../../_trpc/client.tsx'
import type { NavItem } from '../nav.ts'
import { NAV, PAGES } from '../nav.ts'

const isHere = (path: string, { href }: NavItem) => path === href || path.startsWith(`${href}/`)

/** How much waits for a person; one number, wherever it is shown. */
export function useWaiting(): number {
  const trpc = useTRPC()
  return useQuery(trpc.status.waiting.queryOptions()).data?.count ?? 0
}

export function SideNav() {
  const t = useTranslations('shell')
  const path = usePathname()
  return (
    <nav aria-label={t('navLabel')} className="w-44 shrink-0 border-line border-e px-2 py-4 max-sm:hidden">
      <ul className="sticky top-4 flex flex-col gap-4">
        {NAV.map(({ group, items }) => (
          <li key={group}>
            <p className="px-2 pb-1 text-[0.6875rem] font-semibold tracking-wider text-muted uppercase">{t(`groups.${group}`)}</p>
            <ul className="flex flex-col">
              {items.map((item) => (
                <li key={item.id}>
                  <NavLink item={item} isCurrent={isHere(path, item)} />
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function NavLink({ item, isCurrent }: { item: NavItem; isCurrent: boolean }) {
  const t = useTranslations('shell')
  const look = isCurrent ? 'bg-accent-soft font-semibold text-ink' : 'text-ink hover:bg-sunken'
  return (
    <Link
      href={item.href}
      aria-current={isCurrent ? 'page' : undefined}
      className={`flex min-h-8 items-center justify-between rounded-md px-2 ${look}`}
    >
      {t(`nav.${item.id}`)}
      {item.id === 'inbox' && <Badge />}
    </Link>
  )
}

function Badge() {
  const t = useTranslations('shell')
  const waiting = useWaiting()
  if (waiting === 0) return null
  return (
    <span
      role="img"
      aria-label={t('waiting', { count: waiting })}
      className="rounded-full bg-accent px-1.5 text-xs font-semibold text-on-accent"
    >
      {waiting}
    </span>
  )
}

/** The bar at the bottom of a phone: what is used away from a desk, and the rest behind *More*. */
export function PhoneBar() {
  const t = useTranslations('shell')
  const path = usePathname()
  const more = PAGES.filter(({ isOnPhone }) => !isOnPhone)
  return (
    <nav aria-label={t('navLabel')} className="fixed inset-x-0 bottom-0 z-30 flex border-line border-t bg-surface sm:hidden">
      {PAGES.filter(({ isOnPhone }) => isOnPhone).map((item) => (
        <Link
          key={item.id}
          href={item.href}
          aria-current={isHere(path, item) ? 'page' : undefined}
          className={`flex min-h-14 grow basis-0 items-center justify-center gap-1 text-sm ${isHere(path, item) ? 'font-semibold text-accent' : ''}`}
        >
          {t(`nav.${item.id}`)}
          {item.id === 'inbox' && <Badge />}
        </Link>
      ))}
      <details className="group grow basis-0">
        <summary className="flex min-h-14 cursor-pointer list-none items-center justify-center text-sm">{t('more')}</summary>
        <ul className="absolute end-0 bottom-full w-56 rounded-ss-lg border border-line bg-surface p-2 shadow-xl">
          {more.map((item) => (
            <li key={item.id}>
              <Link href={item.href} className="flex min-h-11 items-center rounded px-3 hover:bg-sunken">
                {t(`nav.${item.id}`)}
              </Link>
            </li>
          ))}
        </ul>
      </details>
    </nav>
  )
}
