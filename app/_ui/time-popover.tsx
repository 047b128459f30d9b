'use client'
import { Popover } from '@base-ui/react/popover'
import { useFormatter, useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { Copy } from './copy.tsx'
import { useOpenAtOnce } from './use-later.ts'

interface Props {
  readonly at: number
  readonly rfc: string
  readonly trigger: { readonly className: string; readonly 'aria-label': string; readonly children: ReactNode }
}

/** A moment in local time, UTC and RFC 3339. */
export function TimePopover({ at, rfc, trigger }: Props) {
  const t = useTranslations('common')
  const format = useFormatter()
  const [ref, isOpen, setOpen] = useOpenAtOnce()
  const date = new Date(at * 1_000)
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const long = { dateStyle: 'medium', timeStyle: 'long' } as const
  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Trigger ref={ref} {...trigger} />
      <Popover.Portal>
        <Popover.Positioner sideOffset={4}>
          <Popover.Popup className="z-50 rounded-md border border-line bg-surface p-3 text-xs shadow-lg">
            <dl className="grid grid-cols-[max-content_1fr_max-content] items-center gap-x-3 gap-y-1">
              <dt className="text-muted">{t('time.local')}</dt>
              <dd>{format.dateTime(date, { ...long, timeZone: zone })}</dd>
              <Copy text={format.dateTime(date, { ...long, timeZone: zone })} />
              <dt className="text-muted">{t('time.utc')}</dt>
              <dd>{format.dateTime(date, { ...long, timeZone: 'UTC' })}</dd>
              <Copy text={format.dateTime(date, { ...long, timeZone: 'UTC' })} />
              <dt className="text-muted">{t('time.rfc3339')}</dt>
              <dd className="font-mono">{rfc}</dd>
              <Copy text={rfc} />
            </dl>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}
