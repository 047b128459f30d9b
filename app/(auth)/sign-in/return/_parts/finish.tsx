'use client'
import { useTranslations } from 'next-intl'
import { useEffect, useRef, useState } from 'react'
import type { Problem } from '../../../../_trpc/client.tsx'
import { buttonClass } from '../../../../_ui/button.tsx'
import { Failure } from '../../../../_ui/failure.tsx'

/** Hands the signed login to the server once, and clears it from the address. */
export function Finish() {
  const t = useTranslations('auth')
  const [problem, setProblem] = useState<Problem>()
  const isBegun = useRef(false)
  useEffect(() => {
    if (isBegun.current) return
    isBegun.current = true
    const fragment = window.location.hash.slice(1)
    window.history.replaceState(null, '', window.location.pathname)
    finish(fragment).then(setProblem)
  }, [])
  if (!problem) return <p role="status">{t('return.checking')}</p>
  return (
    <>
      <Failure problem={problem} />
      <a href="/sign-in" className={buttonClass('primary')}>
        {t('return.again')}
      </a>
    </>
  )
}

/** Leaves for the console when it is accepted. @returns what was wrong with it */
async function finish(fragment: string): Promise<Problem | undefined> {
  const login = readLogin(fragment)
  if (!login) return { code: 'NO_LOGIN', message: '', status: 400 }
  try {
    const answer = await fetch('/api/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ login }),
    })
    if (answer.ok) {
      window.location.replace('/inbox')
      return await new Promise(() => undefined) // the page is leaving
    }
    const { error } = await answer.json()
    return { code: error.code, message: error.message, fix: error.fix, requestId: error.request_id, status: answer.status }
  } catch {
    return { code: 'NO_ANSWER', message: '', status: 599 }
  }
}

function readLogin(fragment: string): unknown {
  try {
    const bytes = Uint8Array.from(atob(fragment.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
