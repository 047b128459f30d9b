'use client'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useTRPC, useTRPCClient } from '../_trpc/client.tsx'
import { Button } from './button.tsx'
import { CliLine } from './cli-line.tsx'
import { useLiveEvents } from './live.tsx'
import { Notice } from './notice.tsx'

/** While a signed revocation is not in force on every gateway: the file, and what to do with it on those machines. */
export function SecondPath({ request }: { request: string }) {
  const t = useTranslations('common')
  const trpc = useTRPC()
  const client = useTRPCClient()
  const asked = useQuery(trpc.requests.get.queryOptions({ id: request }))
  useLiveEvents(['request'], ({ data }) => data.id === request && void asked.refetch())
  const hash = asked.data?.status === 'complete' && asked.data.kind === 'revocation' ? asked.data.hash : undefined
  const effect = useQuery({ ...trpc.acks.effective.queryOptions({ hash: hash! }), enabled: hash !== undefined })
  const saving = useMutation({
    mutationFn: async () => {
      const { bytes, signatures } = await client.revocations.get.query({ hash: hash! })
      const url = URL.createObjectURL(new Blob([JSON.stringify({ bytes, signatures })], { type: 'application/json' }))
      Object.assign(document.createElement('a'), { href: url, download: 'revocation.json' }).click()
      URL.revokeObjectURL(url)
    },
  })
  if (!hash || !effect.data || effect.data.effective) return null
  const missing = effect.data.gateways.filter(({ applied }) => !applied).map(({ gateway }) => gateway)
  return (
    <Notice tone="warn" title={t('secondPath.title', { names: missing.join(', ') })}>
      <div className="flex flex-col items-start gap-2">
        <p>{t('secondPath.how')}</p>
        <Button onClick={() => saving.mutate()} disabled={saving.isPending}>
          {t('secondPath.save')}
        </Button>
        {saving.error && <p className="text-danger">{t('secondPath.failed')}</p>}
        <CliLine command="postern gateway apply revocation.json" />
      </div>
    </Notice>
  )
}
