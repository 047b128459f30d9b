import type { RefObject } from 'react'
import { useEffect, useRef, useState } from 'react'

/** A part that is fetched when it is first wanted: the part, once it is here, and what fetches it. Until then a plain button stands for it. */
export function useLater<Part>(load: () => Promise<Part>): readonly [Part | undefined, () => void] {
  const [part, setPart] = useState<{ readonly it: Part }>()
  return [part?.it, () => void load().then((it) => setPart({ it }))]
}

/** For the part: its trigger takes the place and the focus of the button that was pressed, then it opens. */
export function useOpenAtOnce(): readonly [RefObject<HTMLButtonElement | null>, boolean, (open: boolean) => void] {
  const trigger = useRef<HTMLButtonElement>(null)
  const [isOpen, setOpen] = useState(false)
  useEffect(() => {
    trigger.current?.focus()
    setOpen(true)
  }, [])
  return [trigger, isOpen, setOpen]
}
