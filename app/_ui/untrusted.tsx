import { useTranslations } from 'next-intl'
import { piecesOf } from './untrusted-text.ts'

const MAX = 2_000

/** Text from outside (names of tools, descriptions, reasons, hosts): plain, with marks for what would not be seen, cut with a note of how much. */
export function Untrusted({ text, max = MAX }: { text: string; max?: number }) {
  const t = useTranslations('common')
  const total = [...text].length
  return (
    <span dir="auto" className="break-words whitespace-pre-wrap">
      {piecesOf(text, max).map((piece) =>
        'text' in piece ? (
          piece.text
        ) : (
          <mark
            key={piece.at}
            title={t('unseen', { point: piece.mark })}
            className="rounded-xs bg-warn-soft px-0.5 font-mono text-[0.85em] text-warn"
          >
            {piece.mark}
          </mark>
        ),
      )}
      {total > max && <span className="text-muted"> {t('cut', { rest: total - max })}</span>}
    </span>
  )
}
