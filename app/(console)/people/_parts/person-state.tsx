import { useTranslations } from 'next-intl'
import type { Person } from './shapes.ts'

const SIGNS = {
  live: ['✓', 'text-ok'],
  expired: ['◇', 'text-muted'],
  suspended: ['⊘', 'text-warn'],
  revoked: ['✕', 'text-danger'],
} as const

/** People are not online or offline: they are enrolled, or not any more. */
export function PersonState({ state }: { state: Person['state'] }) {
  const t = useTranslations('people')
  const [sign, look] = SIGNS[state]
  return (
    <span className={`inline-flex items-center gap-1 whitespace-nowrap ${look}`}>
      <span aria-hidden="true">{sign}</span>
      {t(`states.${state}`)}
    </span>
  )
}
