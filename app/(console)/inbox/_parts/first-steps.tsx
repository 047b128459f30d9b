'use client'
import { useQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useTRPC } from '../../../_trpc/client.tsx'
import { buttonClass } from '../../../_ui/button.tsx'

/** The way to the first protected call, ticked by what has happened and by nothing else. Gone once it has been walked. */
export function FirstSteps() {
  const t = useTranslations('inbox')
  const trpc = useTRPC()
  const overview = useQuery(trpc.status.overview.queryOptions())
  if (!overview.data) return null
  const { gateways, agents, policy } = overview.data
  const steps = [
    { id: 'gateway', isDone: gateways.enrolled > 0, href: '/codes?new=gateway' },
    { id: 'agent', isDone: agents.enrolled > 0, href: '/codes?new=agent' },
    { id: 'policy', isDone: policy !== undefined, href: '/policies' },
  ] as const
  if (steps.every(({ isDone }) => isDone)) return null
  return (
    <section aria-label={t('steps.title')} className="rounded-lg border border-line bg-surface p-4">
      <h2 className="font-semibold">{t('steps.title')}</h2>
      <ol className="mt-3 grid gap-3 sm:grid-cols-3">
        {steps.map(({ id, isDone, href }, at) => (
          <li key={id} className={`flex flex-col items-start gap-2 rounded-md border border-line p-3 ${isDone ? 'opacity-80' : ''}`}>
            <p className="font-medium">
              <span aria-hidden="true" className={isDone ? 'text-ok' : 'text-muted'}>
                {isDone ? '✓' : '◌'}
              </span>{' '}
              {t(`steps.${id}.title`, { n: at + 1 })}
            </p>
            <p className="text-sm text-muted">{t(`steps.${id}.why`)}</p>
            {!isDone && (
              <Link href={href} className={buttonClass('plain', 'mt-auto')}>
                {t(`steps.${id}.do`)}
              </Link>
            )}
            {isDone && <span className="sr-only">{t('steps.done')}</span>}
          </li>
        ))}
      </ol>
    </section>
  )
}
