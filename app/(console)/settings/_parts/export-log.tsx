'use client'
import { useMutation } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { problemOf, useTRPCClient } from '../../../_trpc/client.tsx'
import { Button } from '../../../_ui/button.tsx'
import { Failure } from '../../../_ui/failure.tsx'

const PAGE = 500

/** The whole authority log, byte for byte as it was signed. Reading it proves nothing: `postern audit verify` and the signer check it. */
export function ExportLog() {
  const t = useTranslations('settings')
  const api = useTRPCClient()
  const save = useMutation({
    async mutationFn() {
      const entries: unknown[] = []
      let org = ''
      for (let from: number | null = 0; from !== null; ) {
        const page: Awaited<ReturnType<typeof api.authority.read.query>> = await api.authority.read.query({ from, limit: PAGE })
        entries.push(...page.entries)
        org = page.org
        from = page.next
      }
      download(JSON.stringify({ org, entries }, null, 1), `postern-log-${org.slice(0, 8)}-${entries.length}.json`)
      return entries.length
    },
  })
  return (
    <div className="flex flex-col items-start gap-2">
      <Button disabled={save.isPending} onClick={() => save.mutate()}>
        {save.isPending ? t('export.reading') : t('export.save')}
      </Button>
      {save.data !== undefined && (
        <p role="status" className="text-ok">
          {t('export.saved', { count: save.data })}
        </p>
      )}
      {save.error && <Failure problem={problemOf(save.error)} />}
    </div>
  )
}

function download(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
