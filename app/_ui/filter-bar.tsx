'use client'
import { X } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useEffect, useRef, useState } from 'react'
import { inputClass } from './field.tsx'
import { parseFilter } from './filter.ts'
import { isTyping } from './is-typing.ts'
import { useLater } from './use-later.ts'

interface Props {
  /** The filter as it is in the URL. */
  readonly value: string
  readonly onChange: (value: string) => void
  /** Key → values to offer; an empty list for keys with free values. */
  readonly keys: Readonly<Record<string, readonly string[]>>
  /** e.g. `12 of 1,310`. */
  readonly count?: string
}
const SETTLE_MS = 250

/** The typed filter: AND by spaces, OR by commas, NOT by a minus in front, with suggestions for the term at the end. `/` focuses it. */
export function FilterBar({ value, onChange, keys, count }: Props) {
  const t = useTranslations('common')
  const [text, setText] = useState(value)
  const [isClient, setClient] = useState(false)
  useEffect(() => setClient(true), []) // what is typed before the page listens would be lost
  const input = useRef<HTMLInputElement>(null)
  const caret = useRef<number | null>(null)
  const [Suggest, fetchSuggest] = useLater(async () => {
    const { FilterSuggest } = await import('./filter-suggest.tsx')
    caret.current = document.activeElement === input.current ? (input.current?.selectionStart ?? 0) : null
    return FilterSuggest
  })
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => setText(value), [value]) // Back, or a saved view
  useEffect(() => () => clearTimeout(timer.current), [])
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || isTyping(event.target)) return
      event.preventDefault()
      input.current?.focus()
    }
    document.addEventListener('keydown', focus)
    return () => document.removeEventListener('keydown', focus)
  }, [])

  const change = (next: string) => {
    setText(next)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => parseFilter(next, Object.keys(keys)).problems.length === 0 && onChange(next.trim()), SETTLE_MS)
  }
  const { problems } = parseFilter(text, Object.keys(keys))
  const problem = problems.find(({ term, why }) => why !== 'noValue' || !text.endsWith(term)) // the term that is being typed is not done yet
  const field = {
    'aria-label': t('filter.label'),
    'aria-invalid': problem ? true : undefined,
    placeholder: t('filter.placeholder'),
    spellCheck: false,
    autoCapitalize: 'off',
    className: `${inputClass} pe-10 font-mono`,
  } as const
  return (
    <div className="flex flex-col gap-1">
      <div className="flex flex-wrap items-center gap-2">
        <div className="relative min-w-0 grow basis-64">
          {Suggest ? (
            <Suggest items={suggestions(text, keys)} value={text} onChange={change} input={input} caret={caret.current} field={field} />
          ) : (
            <input
              ref={input}
              role="combobox"
              aria-expanded={false}
              aria-haspopup="listbox"
              aria-autocomplete="list"
              autoComplete="off"
              readOnly={!isClient}
              value={text}
              onChange={(event) => change(event.target.value)}
              onFocus={fetchSuggest}
              {...field}
            />
          )}
          {text && isClient && (
            <button
              type="button"
              aria-label={t('filter.clear')}
              onClick={() => change('')}
              className="absolute inset-y-0 end-0 inline-flex w-9 items-center justify-center text-muted hover:text-ink"
            >
              <X aria-hidden="true" className="size-4" />
            </button>
          )}
        </div>
        {count && (
          <span aria-live="polite" className="text-sm whitespace-nowrap text-muted">
            {count}
          </span>
        )}
      </div>
      {problem && (
        <p role="alert" className="text-xs text-danger">
          {t(`filter.${problem.why}`, { term: problem.term, keys: Object.keys(keys).join(', ') })}
        </p>
      )}
    </div>
  )
}

/** Whole texts that the last term could become. */
function suggestions(text: string, keys: Props['keys']): readonly string[] {
  const at = text.lastIndexOf(' ') + 1
  const [before, last] = [text.slice(0, at), text.slice(at)]
  const minus = last.startsWith('-') ? '-' : ''
  const term = last.slice(minus.length)
  const colon = term.indexOf(':')
  if (colon < 0)
    return Object.keys(keys)
      .filter((key) => key.startsWith(term))
      .map((key) => `${before}${minus}${key}:`)
  const values = Object.hasOwn(keys, term.slice(0, colon)) ? keys[term.slice(0, colon)]! : []
  const comma = Math.max(term.lastIndexOf(','), colon)
  const typed = term.slice(comma + 1)
  return values
    .filter((value) => value.startsWith(typed) && value !== typed)
    .slice(0, 20)
    .map((value) => `${before}${minus}${term.slice(0, comma + 1)}${value}`)
}
