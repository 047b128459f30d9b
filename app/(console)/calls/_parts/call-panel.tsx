'use client'
import { useQuery } from '@tanstack/react-query'
import { Minus, Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { problemOf, useTRPCClient } from '../../../_trpc/client.tsx'
import { Button, buttonClass } from '../../../_ui/button.tsx'
import { DecisionChip, NameChip, ShortId } from '../../../_ui/chip.tsx'
import { Copy } from '../../../_ui/copy.tsx'
import { Dialog } from '../../../_ui/dialog.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { Facts } from '../../../_ui/page.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { Time } from '../../../_ui/time.tsx'
import { Untrusted } from '../../../_ui/untrusted.tsx'
import { markedText } from '../../../_ui/untrusted-text.ts'
import type { CallDetail } from './shapes.ts'

interface Props {
  readonly id: number
  readonly hasPolicy: boolean
  readonly onClose: () => void
  readonly onFilter: (key: 'agent' | 'gateway' | 'tool' | 'rule' | 'code', value: string, negated: boolean) => void
}

/** One call: decision and why, grant, and the receipt as its gateway signed it. Arguments are not here, and are nowhere on this server. */
export function CallPanel({ id, hasPolicy, onClose, onFilter }: Props) {
  const t = useTranslations('calls')
  const client = useTRPCClient()
  const call = useQuery({ queryKey: ['call', id], queryFn: () => client.calls.get.query({ id }), retry: false })
  return (
    <Dialog title={t('detail.title', { id })} placement="side" open onOpenChange={(open) => !open && onClose()}>
      {call.error ? (
        <Failure problem={problemOf(call.error)} retry={() => void call.refetch()} />
      ) : call.data ? (
        <Detail call={call.data} hasPolicy={hasPolicy} onFilter={onFilter} />
      ) : (
        <Skeleton label={t('loading')} lines={6} />
      )}
    </Dialog>
  )
}

function Detail({ call, hasPolicy, onFilter }: { call: CallDetail } & Pick<Props, 'hasPolicy' | 'onFilter'>) {
  const t = useTranslations('calls')
  const { agent, gateway, server, tool, rule, code, decision, meaning, status, at, ms, grant_hash: grant } = call
  const known = ['not_run', 'ok', 'error', 'unknown'].includes(status)
  return (
    <>
      <div className="flex flex-wrap items-center gap-3">
        <DecisionChip decision={decision} />
        <code className="font-mono text-xs">{code}</code>
        <span className="grow" />
        {hasPolicy && (
          <a href={`/policies?from=${call.id}`} className={buttonClass('primary')}>
            {t('detail.rule_from')}
          </a>
        )}
      </div>
      {meaning && (
        <div className="rounded-md bg-sunken p-3">
          <p className="font-medium">{meaning.title}</p>
          <p className="text-muted">{meaning.fix}</p>
        </div>
      )}
      <Facts
        facts={[
          [
            t('detail.agent'),
            <Value
              key="a"
              of="agent"
              value={agent}
              onFilter={onFilter}
              shown={<NameChip name={agent} href={`/fleet/${agent}`} canCopy />}
            />,
          ],
          [
            t('detail.tool'),
            tool === null ? (
              t('detail.noTool')
            ) : (
              <Value
                key="t"
                of="tool"
                value={`${server}.${tool}`}
                onFilter={onFilter}
                shown={<Untrusted text={`${server}.${tool}`} max={200} />}
              />
            ),
          ],
          [
            t('detail.gateway'),
            <Value
              key="g"
              of="gateway"
              value={gateway}
              onFilter={onFilter}
              shown={<NameChip name={gateway} href={`/fleet/${gateway}`} canCopy />}
            />,
          ],
          [
            t('detail.code'),
            <Value key="c" of="code" value={code} onFilter={onFilter} shown={<code className="font-mono text-xs">{code}</code>} />,
          ],
          [
            t('detail.rule'),
            rule === null ? (
              t('default')
            ) : (
              <Value key="r" of="rule" value={rule} onFilter={onFilter} shown={<Untrusted text={rule} max={64} />} />
            ),
          ],
          [
            t('detail.policy'),
            call.policy === null ? (
              '–'
            ) : (
              <span key="p" className="inline-flex flex-wrap items-center gap-2">
                <ShortId id={call.policy} />
                {call.policy_version === null ? t('detail.policyOther') : t('detail.policyVersion', { version: call.policy_version })}
              </span>
            ),
          ],
          [t('detail.status'), known ? t(`detail.statuses.${status as 'ok'}`) : status],
          [t('detail.when'), <Time key="w" at={at} />],
          [t('detail.took'), ms === null ? '–' : t('detail.ms', { ms })],
          [
            t('detail.arguments'),
            <span key="s" className="text-muted">
              {t('detail.sealed')}
            </span>,
          ],
          [
            t('detail.grant'),
            grant === null ? (
              t('detail.noGrant')
            ) : (
              <span key="gr" className="inline-flex flex-wrap items-center gap-2">
                <ShortId id={grant} />
                <span>
                  {t('detail.grantUsed', { count: call.grant_calls })}
                  {call.grant?.max != null && ` ${t('detail.grantMax', { max: call.grant.max })}`}
                </span>
                {call.grant && (
                  <span>
                    · {t('detail.grantEnds')} <Time at={call.grant.expires} />
                  </span>
                )}
              </span>
            ),
          ],
        ]}
      />
      <section aria-label={t('detail.receipt')} className="flex flex-col gap-2">
        <h3 className="font-semibold">{t('detail.receipt')}</h3>
        {call.receipt.verified ? (
          <p className="text-ok">
            <span aria-hidden="true">✓</span> {t('detail.verified')}
          </p>
        ) : (
          <p role="alert" className="font-medium text-danger">
            <span aria-hidden="true">✕</span> {t('detail.bad', { why: call.receipt.why ?? '' })}
          </p>
        )}
        <p className="flex flex-wrap items-center gap-2 text-xs text-muted">
          {t('detail.number', { rseq: call.receipt.rseq, epoch: call.receipt.epoch })}
          <Copy text={call.receipt.jws} label={t('detail.raw')} withText />
        </p>
        <details>
          <summary className="cursor-pointer text-sm">{t('detail.payload')}</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller without focusable content must be reachable by keyboard */}
          <pre tabIndex={0} className="mt-2 overflow-x-auto rounded bg-sunken p-3 font-mono text-xs whitespace-pre-wrap break-all">
            {call.receipt.payload}
          </pre>
        </details>
      </section>
    </>
  )
}

/** Any value can be looked for, or left out. */
function Value({
  of,
  value,
  shown,
  onFilter,
}: {
  of: Parameters<Props['onFilter']>[0]
  value: string
  shown: ReactNode
  onFilter: Props['onFilter']
}) {
  const t = useTranslations('calls')
  return (
    <span className="flex flex-wrap items-center gap-2">
      <span className="min-w-0 grow">{shown}</span>
      <Button
        look="quiet"
        className="text-xs! sm:min-h-6!"
        onClick={() => onFilter(of, value, false)}
        aria-label={t('detail.filterFor', { value: markedText(value, 120) })}
      >
        <Plus aria-hidden="true" className="size-3.5" />
      </Button>
      <Button
        look="quiet"
        className="text-xs! sm:min-h-6!"
        onClick={() => onFilter(of, value, true)}
        aria-label={t('detail.filterOut', { value: markedText(value, 120) })}
      >
        <Minus aria-hidden="true" className="size-3.5" />
      </Button>
    </span>
  )
}
