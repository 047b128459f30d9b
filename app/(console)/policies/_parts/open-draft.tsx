'use client'
import { useMutation } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { problemOf, useTRPC } from '../../../_trpc/client.tsx'
import type { Look } from '../../../_ui/button.tsx'
import { Button } from '../../../_ui/button.tsx'
import { Dialog } from '../../../_ui/dialog.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { Time } from '../../../_ui/time.tsx'
import type { OpenFrom } from './shapes.ts'
import { theirsOf } from './shapes.ts'

interface Props {
  readonly name: string
  readonly from: OpenFrom
  readonly look?: Look
  readonly children: ReactNode
}

/** Begins a draft and goes there. One that exists is written over only by somebody who was told whose it is. */
export function OpenDraft({ name, from, look = 'plain', children }: Props) {
  const t = useTranslations('policies')
  const trpc = useTRPC()
  const router = useRouter()
  const open = useMutation(trpc.policies.openDraft.mutationOptions({ onSuccess: () => router.push(`/policies/${name}/draft`) }))
  const theirs = open.error ? theirsOf(open.error) : undefined
  return (
    <>
      <Button look={look} disabled={open.isPending || open.isSuccess} onClick={() => open.mutate({ name, from })}>
        {open.isPending ? t('opening') : children}
      </Button>
      {open.error && !theirs && <Failure problem={problemOf(open.error)} />}
      {theirs && (
        <Dialog title={t('replace.title', { name })} open onOpenChange={(isOpen) => !isOpen && open.reset()}>
          <p>
            {t('replace.what', { by: theirs.by, revision: theirs.revision })} <Time at={theirs.at} />
          </p>
          <div className="flex flex-wrap gap-2">
            <Button look="primary" onClick={() => router.push(`/policies/${name}/draft`)}>
              {t('replace.keep')}
            </Button>
            <Button look="danger" onClick={() => open.mutate({ name, from, replace: theirs.revision })}>
              {t('replace.do')}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  )
}
