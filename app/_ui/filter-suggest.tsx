'use client'
import { Autocomplete } from '@base-ui/react/autocomplete'
import type { ComponentProps, RefObject } from 'react'
import { useLayoutEffect } from 'react'

interface Props {
  readonly items: readonly string[]
  readonly value: string
  readonly onChange: (value: string) => void
  readonly input: RefObject<HTMLInputElement | null>
  /** Where the caret was in the field whose place this takes; null when it was elsewhere. */
  readonly caret: number | null
  readonly field: ComponentProps<'input'>
}

/** The field of the filter with its suggestions: takes the plain field's place when that is first entered. */
export function FilterSuggest({ items, value, onChange, input, caret, field }: Props) {
  useLayoutEffect(() => {
    if (caret === null) return
    input.current?.focus()
    input.current?.setSelectionRange(caret, caret)
  }, [input, caret])
  return (
    <Autocomplete.Root items={items} value={value} onValueChange={onChange} mode="none" openOnInputClick={false}>
      <Autocomplete.Input ref={input} {...field} />
      <Autocomplete.Portal>
        <Autocomplete.Positioner sideOffset={4} align="start" className="z-50">
          <Autocomplete.Popup className="max-h-72 min-w-56 overflow-y-auto rounded-md border border-line bg-surface py-1 shadow-lg">
            <Autocomplete.List>
              {(item: string) => (
                <Autocomplete.Item
                  key={item}
                  value={item}
                  className="cursor-pointer px-3 py-1.5 font-mono text-sm data-highlighted:bg-accent-soft"
                >
                  {item.split(/\s+/).at(-1)}
                </Autocomplete.Item>
              )}
            </Autocomplete.List>
          </Autocomplete.Popup>
        </Autocomplete.Positioner>
      </Autocomplete.Portal>
    </Autocomplete.Root>
  )
}
