'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useFormatter, useTranslations } from 'next-intl'
import { parseAsString, parseAsStringLiteral, useQueryStates } from 'nuqs'
import { problemOf, useTRPC } from '../../../_trpc/client.tsx'
import { Button } from '../../../_ui/button.tsx'
import { NameChip, Tag } from '../../../_ui/chip.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Empty } from '../../../_ui/empty.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { Page, Section } from '../../../_ui/page.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { Countdown } from '../../../_ui/time.tsx'
import { EnrolDialog, KINDS } from './enrol-dialog.tsx'
import { FleetTokens } from './fleet-tokens.tsx'
import type { Code } from './shapes.ts'

/** One-time codes, which only queue a request, and fleet tokens, which are signed. `?new=` opens the dialog, `?code=` follows one code. */
export function Codes({ isAdmin, atsign }: { isAdmin: boolean; atsign: string }) {
  const t = useTranslations('codes')
  const trpc = useTRPC()
  const codes = useQuery(trpc.enrolment.codes.queryOptions())
  const [{ new: kind, code }, setAt] = useQueryStates(
    { new: parseAsStringLiteral(KINDS), code: parseAsString },
    { history: 'push', shallow: true },
  )
  const mayMake = isAdmin ? KINDS : (['agent'] as const)
  return (
    <Page
      title={t('title')}
      note={t('note')}
      actions={mayMake.map((each) => (
        <Button
          key={each}
          look={each === 'gateway' || !isAdmin ? 'primary' : 'plain'}
          onClick={() => void setAt({ new: each, code: null })}
        >
          {t(`make.${each}`)}
        </Button>
      ))}
    >
      {kind && (
        <EnrolDialog
          kind={kind}
          codeId={code}
          atsign={atsign}
          isAdmin={isAdmin}
          onCode={(id) => setAt({ new: kind, code: id })}
          onClose={() => void setAt({ new: null, code: null })}
        />
      )}
      <Section title={t('open.title')}>
        {codes.error && <Failure problem={problemOf(codes.error)} retry={() => void codes.refetch()} />}
        {codes.isPending && <Skeleton label={t('loading')} lines={3} />}
        {codes.data && <CodeTable codes={codes.data.codes} onFollow={(each) => void setAt({ new: each.kind, code: each.id })} />}
        <CliLine command="npx postern code new gateway" />
      </Section>
      {isAdmin && <FleetTokens />}
    </Page>
  )
}

function CodeTable({ codes, onFollow }: { codes: readonly Code[]; onFollow: (code: Code) => void }) {
  const t = useTranslations('codes')
  if (codes.length === 0)
    return (
      <Empty title={t('open.empty')}>
        <p>{t('open.why')}</p>
      </Empty>
    )
  return (
    <ul className="flex flex-col divide-y divide-line">
      {codes.map((code) => (
        <CodeRow key={code.id} code={code} onFollow={() => onFollow(code)} />
      ))}
    </ul>
  )
}

function CodeRow({ code, onFollow }: { code: Code; onFollow: () => void }) {
  const t = useTranslations('codes')
  const trpc = useTRPC()
  const queries = useQueryClient()
  const format = useFormatter()
  const end = useMutation(
    trpc.enrolment.voidCode.mutationOptions({ onSuccess: () => queries.invalidateQueries({ queryKey: [['enrolment', 'codes']] }) }),
  )
  const { id, kind, tags, created_by, exp, used, request } = code
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 py-2.5">
      <span className="w-28 font-medium">{t(`kinds.${kind}`)}</span>
      <span className="flex min-w-0 items-center gap-1.5 text-muted">
        {t('open.by')} <NameChip name={created_by} href={`/people/${created_by}`} />
      </span>
      <span className="flex flex-wrap gap-1">
        {tags.map((tag) => (
          <Tag key={tag}>{tag}</Tag>
        ))}
      </span>
      <span className="ms-auto flex flex-wrap items-center gap-3">
        {used ? (
          <span>
            <span aria-hidden="true" className="text-ok">
              ✓{' '}
            </span>
            {request ? t(`open.usedBy.${request.status}`, { atsign: request.atsign }) : t('open.used')}
          </span>
        ) : (
          <span className="text-muted" title={format.dateTime(new Date(exp * 1000), { timeStyle: 'medium' })}>
            {t('open.left')} <Countdown until={exp} over={t('open.over')} label={t('open.left')} />
          </span>
        )}
        <Button onClick={onFollow}>{t(used ? 'open.show' : 'open.follow')}</Button>
        {!used && (
          <Button look="quiet" disabled={end.isPending} onClick={() => end.mutate({ id })}>
            {t('open.void')}
          </Button>
        )}
      </span>
      {end.error && <Failure problem={problemOf(end.error)} />}
    </li>
  )
}
