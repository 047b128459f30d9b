import { useTranslations } from 'next-intl'
import { Copy } from './copy.tsx'

/** What to type to do the same in a terminal. Every action has one. */
export function CliLine({ command }: { command: string }) {
  const t = useTranslations('common')
  return (
    <div className="flex min-w-0 items-center gap-2 rounded border border-line bg-sunken px-2 py-1 text-xs">
      <span className="shrink-0 text-muted">{t('cli')}</span>
      <code className="min-w-0 grow font-mono break-all">{command}</code>
      <Copy text={command} label={t('copyCommand')} />
    </div>
  )
}
