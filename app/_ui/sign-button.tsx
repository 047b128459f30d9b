'use client'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { useEffect, useState } from 'react'
import { problemOf, useTRPC } from '../_trpc/client.tsx'
import type { Look } from './button.tsx'
import { Button } from './button.tsx'
import { Failure } from './failure.tsx'
import { useLiveEvents } from './live.tsx'
import { openSigner } from './open-signer.ts'

/** What a draft gives: where the signer shows it, and what it is called here. */
export interface Drafted {
  readonly url: string
  /** Id of the signing request. */
  readonly id: string
}
interface Props {
  /** Makes the draft. Called by the click, after the window has opened: browsers open none later. */
  readonly draft: () => Promise<Drafted>
  readonly children: ReactNode
  readonly look?: Look
  /** Why it cannot be pressed, in words; stands beside it. */
  readonly blocked?: string | undefined
  readonly onDone?: (() => void) | undefined
}

/**
 * *Review and sign ▸*: opens the signer on what was drafted and shows how far it has come, from the event stream alone. A window that is closed, or
 * never opened, loses nothing: it can be opened again.
 */
export function SignButton({ draft, children, look = 'primary', blocked, onDone }: Props) {
  const t = useTranslations('common')
  const drafting = useMutation({ mutationFn: () => openSigner(draft) })
  if (drafting.data) {
    const { data } = drafting
    return <Stages drafted={data} onAgain={() => void openSigner(async () => data)} onCancel={drafting.reset} onDone={onDone} />
  }
  return (
    <div className="flex flex-col items-start gap-2">
      <Button look={look} disabled={blocked !== undefined || drafting.isPending} onClick={() => drafting.mutate()}>
        {drafting.isPending ? t('sign.preparing') : children}
      </Button>
      {blocked && <p className="text-xs text-muted">{blocked}</p>}
      {drafting.error && <Failure problem={problemOf(drafting.error)} />}
    </div>
  )
}

function Stages({
  drafted,
  onAgain,
  onCancel,
  onDone,
}: {
  drafted: Drafted
  onAgain: () => void
  onCancel: () => void
  onDone?: (() => void) | undefined
}) {
  const t = useTranslations('common')
  const trpc = useTRPC()
  const request = useQuery(trpc.requests.get.queryOptions({ id: drafted.id }))
  const [isTold, setTold] = useState(false)
  useLiveEvents(['request'], ({ data }) => data.id === drafted.id && void request.refetch())
  const status = request.data?.status ?? 'open'
  const isComplete = status === 'complete'
  useEffect(() => {
    if (!isComplete || isTold) return
    setTold(true)
    onDone?.()
  }, [isComplete, isTold, onDone])
  const isSigned = isComplete || (request.data?.signatures.length ?? 0) > 0
  return (
    <div role="status" className="flex flex-col items-start gap-2 rounded-md border border-line bg-surface p-3 text-sm">
      <ol className="flex flex-wrap gap-x-4 gap-y-1">
        <Stage done={isSigned}>{isSigned ? t('sign.signed') : t('sign.waiting')}</Stage>
        {isSigned && <Stage done={isComplete}>{isComplete ? t('sign.taken') : t('sign.more')}</Stage>}
        {isComplete && request.data?.hash && <Effect hash={request.data.hash} />}
      </ol>
      {(status === 'refused' || status === 'superseded' || status === 'expired') && <p className="text-warn">{t(`sign.${status}`)}</p>}
      {!isComplete && (
        <div className="flex flex-wrap gap-2">
          {status === 'open' && (
            <Button look={isSigned ? 'plain' : 'primary'} onClick={onAgain}>
              {t('sign.again')}
            </Button>
          )}
          <Button look="quiet" onClick={onCancel}>
            {status === 'open' ? t('sign.cancel') : t('sign.back')}
          </Button>
        </div>
      )}
    </div>
  )
}

const Stage = ({ done, children }: { done: boolean; children: ReactNode }) => (
  <li className={`flex items-center gap-1 ${done ? 'text-ok' : 'text-muted'}`}>
    <span aria-hidden="true">{done ? '✓' : '◌'}</span>
    {children}
  </li>
)

/** `effective on 3 of 4, 412 ms`, counted from the gateways' signed acknowledgements and nothing else; until then NOT EFFECTIVE. */
export function Effect({ hash }: { hash: string }) {
  const t = useTranslations('common')
  const trpc = useTRPC()
  const effect = useQuery(trpc.acks.effective.queryOptions({ hash }))
  useLiveEvents(['ack', 'presence'], () => void effect.refetch())
  if (!effect.data) return <Stage done={false}>{t('sign.asking')}</Stage>
  const { on, of, ms = 0, effective, gateways } = effect.data
  if (of === 0) return <Stage done>{t('sign.noGateways')}</Stage>
  const missing = gateways.filter(({ applied }) => !applied)
  return (
    <>
      <li className={`flex items-center gap-1 ${effective ? 'text-ok' : 'font-semibold text-danger'}`}>
        <span aria-hidden="true">{effective ? '✓' : '!'}</span>
        {on === 0 ? t('sign.notEffective', { of }) : t('sign.effective', { on, of, ms })}
      </li>
      {missing.map(({ gateway, online, grants_until }) => (
        <li key={gateway} className="w-full text-danger">
          {t(online ? 'sign.behind' : 'sign.offline', { gateway })}
          {grants_until !== undefined && ` ${t('sign.grantsEnd', { at: new Date(grants_until * 1000).toLocaleTimeString() })}`}
        </li>
      ))}
    </>
  )
}
