'use client'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useTRPC } from '../../_trpc/client.tsx'

/** How long the authority log is by now; `seq` is its end when the page was made. */
export function LogSize({ seq }: { seq: number }) {
  const t = useTranslations('shell')
  const { data } = useQuery(useTRPC().status.overview.queryOptions())
  return <span>{t('footer.log', { size: (data?.head?.seq ?? seq) + 1 })}</span>
}
