'use client'
import dynamic from 'next/dynamic'
import { useRouter } from 'next/navigation'
import { useEffect, useState } from 'react'
import { isTyping } from '../../_ui/is-typing.ts'
import { PAGES } from '../nav.ts'

const KeysSheet = dynamic(() => import('./keys-sheet.tsx').then(({ KeysSheet }) => KeysSheet), { ssr: false })
/** How long `g` waits for the second key. */
const CHORD_MS = 1_500

/** Keys that work everywhere: `g` and a page's letter, `?` for the sheet. Never inside a field; none of them decides anything. */
export function Keys() {
  const router = useRouter()
  const [isOpen, setOpen] = useState(false)
  const [isWanted, setWanted] = useState(false)
  useEffect(() => {
    let isChord = false
    let timer: ReturnType<typeof setTimeout>
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return
      if (event.key === '?') {
        setWanted(true)
        setOpen(true)
      }
      const page = isChord ? PAGES.find(({ key }) => key === event.key) : undefined
      isChord = event.key === 'g' && !isChord
      clearTimeout(timer)
      if (isChord) timer = setTimeout(() => (isChord = false), CHORD_MS)
      if (page) router.push(page.href)
    }
    document.addEventListener('keydown', onKey)
    return () => {
      clearTimeout(timer)
      document.removeEventListener('keydown', onKey)
    }
  }, [router])
  return isWanted && <KeysSheet open={isOpen} onOpenChange={setOpen} />
}
