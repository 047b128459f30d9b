'use client'
import { useMutation } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { problemOf, useTRPCClient } from '../../../_trpc/client.tsx'
import { Button } from '../../../_ui/button.tsx'
import { csvOf } from './csv.ts'
import type { Member } from './shapes.ts'

const PAGE = 500
/** A file of more rows is asked for in parts, by filter. */
const MAX_ROWS = 20_000

/** Everything that matches, as CSV, in the order of the list. */
export function ExportButton({ q, sort }: { q: string; sort: string }) {
  const t = useTranslations('fleet')
  const client = useTRPCClient()
  const exporting = useMutation({
    mutationFn: async () => {
      const members: Member[] = []
      for (let cursor: string | undefined; members.length < MAX_ROWS; ) {
        const page = await client.fleet.search.query({ q, sort, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) })
        members.push(...page.members)
        if (page.next === null) break
        cursor = page.next
      }
      download(csvOf(members))
      return members.length
    },
  })
  return (
    <>
      <Button onClick={() => exporting.mutate()} disabled={exporting.isPending}>
        {exporting.isPending ? t('export.working') : t('export.button')}
      </Button>
      <span role="status" className="text-xs text-muted empty:hidden">
        {exporting.data !== undefined && t('export.done', { count: exporting.data })}
        {exporting.error && t('export.failed', { code: problemOf(exporting.error).code })}
      </span>
    </>
  )
}

function download(text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }))
  const link = Object.assign(document.createElement('a'), { href: url, download: 'fleet.csv' })
  link.click()
  URL.revokeObjectURL(url)
}
