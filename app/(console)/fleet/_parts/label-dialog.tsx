'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { problemOf, useTRPC } from '../../../_trpc/client.tsx'
import { Button } from '../../../_ui/button.tsx'
import { Dialog } from '../../../_ui/dialog.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { TextField } from '../../../_ui/field.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { Label } from './columns.tsx'
import type { Member, Selection } from './shapes.ts'

const GRAMMAR = /^[a-z0-9][a-z0-9_-]{0,31}$/
const MAX = 8

interface Props {
  readonly selection: Selection
  readonly members: readonly Member[]
  readonly count: number
  readonly onClose: () => void
}

/** Puts labels on many names and takes them off; at once, without a signature, and to be undone as one. */
export function LabelDialog({ selection, members, count, onClose }: Props) {
  const t = useTranslations('fleet')
  const trpc = useTRPC()
  const queries = useQueryClient()
  const known = useQuery(trpc.fleet.labels.queryOptions())
  const [text, setText] = useState('')
  const [remove, setRemove] = useState<ReadonlySet<string>>(new Set())
  const refresh = () => queries.invalidateQueries({ queryKey: [['fleet']] })
  const labelling = useMutation(trpc.fleet.relabel.mutationOptions({ onSuccess: refresh }))
  const undoing = useMutation(trpc.fleet.undoLabels.mutationOptions({ onSuccess: refresh }))
  const add = [...new Set(text.split(/[\s,]+/).filter((word) => word !== ''))]
  const wrong = add.find((word) => !GRAMMAR.test(word)) ?? (add.length > MAX ? add[MAX] : undefined)
  const present = [...new Set(members.flatMap(({ labels }) => labels))].sort()
  const done = labelling.data
  return (
    <Dialog title={t('labels.title', { count })} description={t('labels.meaning')} open onOpenChange={(open) => !open && onClose()}>
      {done ? (
        <Notice tone="ok" title={undoing.data ? t('labels.undone') : t('labels.done', { count: done.changed })}>
          <div className="flex gap-2">
            {!undoing.data && (
              <Button onClick={() => undoing.mutate({ change: done.change })} disabled={undoing.isPending}>
                {t('labels.undo')}
              </Button>
            )}
            <Button look="quiet" onClick={onClose}>
              {t('labels.close')}
            </Button>
          </div>
        </Notice>
      ) : (
        <form
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault()
            if (wrong === undefined && add.length + remove.size > 0) labelling.mutate({ selection, add, remove: [...remove] })
          }}
        >
          <TextField
            label={t('labels.add')}
            hint={t('labels.hint')}
            error={wrong === undefined ? undefined : t('labels.wrong', { label: wrong })}
            value={text}
            onChange={(event) => setText(event.target.value)}
            list="known-labels"
            autoCapitalize="off"
            spellCheck={false}
          />
          <datalist id="known-labels">
            {known.data?.map(({ label }) => (
              <option key={label} value={label} />
            ))}
          </datalist>
          {present.length > 0 && (
            <fieldset className="flex flex-col gap-2">
              <legend className="text-sm font-medium">{t('labels.remove')}</legend>
              <div className="flex flex-wrap gap-3">
                {present.map((label) => (
                  <label key={label} className="inline-flex min-h-6 items-center gap-1.5">
                    <input
                      type="checkbox"
                      className="size-4 accent-accent"
                      checked={remove.has(label)}
                      onChange={() => setRemove(toggled(remove, label))}
                    />
                    <Label>{label}</Label>
                  </label>
                ))}
              </div>
            </fieldset>
          )}
          <div className="flex flex-wrap items-center gap-2">
            <Button type="submit" look="primary" disabled={wrong !== undefined || add.length + remove.size === 0 || labelling.isPending}>
              {t('labels.save')}
            </Button>
            <Button look="quiet" onClick={onClose}>
              {t('labels.cancel')}
            </Button>
          </div>
        </form>
      )}
      {labelling.error && <Failure problem={problemOf(labelling.error)} />}
      {undoing.error && <Failure problem={problemOf(undoing.error)} />}
    </Dialog>
  )
}

function toggled(set: ReadonlySet<string>, item: string): ReadonlySet<string> {
  const next = new Set(set)
  if (!next.delete(item)) next.add(item)
  return next
}
