'use client'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { problemOf, useTRPC } from '../../../../_trpc/client.tsx'
import { Dialog } from '../../../../_ui/dialog.tsx'
import { Failure } from '../../../../_ui/failure.tsx'
import { Notice } from '../../../../_ui/notice.tsx'
import { Skeleton } from '../../../../_ui/skeleton.tsx'
import { Untrusted } from '../../../../_ui/untrusted.tsx'
import { markedText } from '../../../../_ui/untrusted-text.ts'
import type { Line } from './diff-lines.ts'
import { diffLines } from './diff-lines.ts'

interface Props {
  readonly gateway: string
  readonly server: string
  readonly tool: string
  readonly onClose: () => void
}

/** The definition of a tool, or what changed in it since it was pinned; characters that would not be seen are marked. */
export function DefinitionDialog({ gateway, server, tool, onClose }: Props) {
  const t = useTranslations('entity')
  const trpc = useTRPC()
  const found = useQuery({ ...trpc.fleet.definitions.queryOptions({ gateway, server, tool }), retry: false })
  const { now, pinned, pinned_digest: digest } = found.data ?? {}
  const isSame = now !== undefined && now === pinned
  const lines = now !== undefined && pinned !== undefined && !isSame ? diffLines(pinned, now) : undefined
  const text = now ?? pinned
  return (
    <Dialog title={markedText(`${server}.${tool}`, 130)} placement="side" open onOpenChange={(open) => !open && onClose()}>
      {found.error && <Failure problem={problemOf(found.error)} />}
      {found.isPending && <Skeleton label={t('loading')} lines={8} />}
      {digest !== undefined && pinned === undefined && <Notice tone="warn" title={t('pins.lost')} />}
      {lines ? (
        <>
          <p className="flex flex-wrap gap-4 text-xs">
            <span className="text-danger">− {t('pins.was')}</span>
            <span className="text-ok">+ {t('pins.now')}</span>
          </p>
          <DiffText lines={lines} label={t('pins.definition')} />
        </>
      ) : (
        text !== undefined && (
          <DiffText lines={text.split('\n').map((line) => ({ kind: 'same', text: line }))} label={t('pins.definition')} />
        )
      )}
    </Dialog>
  )
}

const SIGNS = { same: [' ', ''], removed: ['−', 'bg-danger-soft text-danger'], added: ['+', 'bg-ok-soft text-ok'] } as const

function DiffText({ lines, label }: { lines: readonly Line[]; label: string }) {
  const t = useTranslations('entity')
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller without focusable content must be reachable by keyboard
    <section aria-label={label} tabIndex={0} className="overflow-x-auto rounded border border-line py-2 font-mono text-xs">
      {lines.map(({ kind, text }, at) => {
        const [sign, look] = SIGNS[kind]
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the lines of one text never move
          <div key={at} className={`flex gap-2 px-2 ${look}`}>
            <span aria-hidden="true" className="w-3 shrink-0 select-none">
              {sign}
            </span>
            {kind !== 'same' && <span className="sr-only">{t(`pins.${kind}`)}</span>}
            <Untrusted text={text} max={4_000} />
          </div>
        )
      })}
    </section>
  )
}
