'use client'
import { mergeLines } from '@postern/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import type { Problem } from '../../../_trpc/client.tsx'
import { problemOf, useTRPC, useTRPCClient } from '../../../_trpc/client.tsx'
import { useLiveEvents } from '../../../_ui/live.tsx'
import type { Draft, Theirs } from './shapes.ts'
import { theirsOf } from './shapes.ts'

const SAVE_MS = 800
const TOUCH_MS = 15_000

export type SaveState = 'saved' | 'unsaved' | 'saving' | 'conflict' | 'failed'

/** What is kept on the server: the text that both sides of a conflict began from. */
interface Kept {
  readonly text: string
  readonly revision: number
}

/**
 * A draft as it is typed: saved by itself, under the revision that was read last. What somebody else saves comes in at once where nothing
 * was typed since, is merged where other lines were, and asks where it were the same ones.
 */
export function useDraft(name: string, me: string, isAdmin: boolean) {
  const trpc = useTRPC()
  const client = useTRPCClient()
  const queries = useQueryClient()
  const query = useQuery({ ...trpc.policies.draft.queryOptions({ name }), refetchOnWindowFocus: false })
  const [text, setText] = useState<string>()
  const [state, setState] = useState<SaveState>('saved')
  const [savedAt, setSavedAt] = useState<number>()
  const [theirs, setTheirs] = useState<Theirs>()
  const [mergedFrom, setMergedFrom] = useState<string>()
  const [problem, setProblem] = useState<Problem>()
  const [editors, setEditors] = useState<readonly string[]>([])
  const kept = useRef<Kept>(undefined)
  const typed = useRef<string>(undefined)
  const saving = useRef<Promise<boolean>>(undefined)

  const keep = useCallback((draft: Pick<Draft, 'text' | 'revision'>) => {
    kept.current = { text: draft.text, revision: draft.revision }
  }, [])
  const show = useCallback((next: string) => {
    typed.current = next
    setText(next)
  }, [])

  /** What others saved meets what was typed here. */
  const meet = useCallback(
    (other: Theirs) => {
      const base = kept.current?.text ?? ''
      const mine = typed.current ?? base
      const merged = mergeLines(base, mine, other.text)
      if (merged.conflicts > 0) {
        setTheirs(other)
        setState('conflict')
        return
      }
      keep(other)
      show(merged.text)
      setState(merged.text === other.text ? 'saved' : 'unsaved')
      if (other.by !== me) setMergedFrom(other.by)
    },
    [keep, show, me],
  )

  const save = useCallback((): Promise<boolean> => {
    const once = async () => {
      const { current } = typed
      if (kept.current === undefined || current === undefined || current === kept.current.text) return true
      setState('saving')
      try {
        const saved = await client.policies.saveDraft.mutate({ name, revision: kept.current.revision, text: current })
        keep(saved)
        setSavedAt(saved.updated_at)
        setProblem(undefined)
        setState(typed.current === current ? 'saved' : 'unsaved')
        return typed.current === current
      } catch (error) {
        const other = theirsOf(error)
        if (other) meet(other)
        else {
          setProblem(problemOf(error))
          setState('failed')
        }
        return false
      }
    }
    const next = (saving.current ?? Promise.resolve(true)).then(once)
    saving.current = next
    return next
  }, [client, name, keep, meet])

  const draft = query.data
  useEffect(() => {
    if (!draft || (kept.current && draft.revision <= kept.current.revision)) return
    setEditors(draft.editors)
    setSavedAt(draft.updated_at)
    if (kept.current === undefined) {
      keep(draft)
      show(draft.text)
    } else meet({ revision: draft.revision, text: draft.text, by: draft.updated_by, at: draft.updated_at })
  }, [draft, keep, show, meet])

  // biome-ignore lint/correctness/useExhaustiveDependencies: each key begins the wait anew
  useEffect(() => {
    if (state !== 'unsaved' && state !== 'failed') return
    const timer = setTimeout(() => void save(), state === 'failed' ? 5_000 : SAVE_MS)
    return () => clearTimeout(timer)
  }, [state, text, save])

  // What was typed in the last second before one leaves is saved too.
  useEffect(() => () => void (typed.current !== kept.current?.text && save()), [save])

  useLiveEvents(['draft'], ({ data }) => {
    if (data.name === name && Array.isArray(data.editors)) setEditors(data.editors as string[])
  })
  const isThere = draft !== null && draft !== undefined
  useEffect(() => {
    if (!isAdmin || !isThere) return
    const touch = () => {
      if (document.visibilityState !== 'visible') return
      client.policies.touchDraft.mutate({ name }).then(
        (touched) => setEditors(touched.editors),
        () => undefined, // the stream says when it is gone
      )
    }
    touch()
    const timer = setInterval(touch, TOUCH_MS)
    return () => clearInterval(timer)
  }, [client, name, isAdmin, isThere])

  const change = useCallback(
    (next: string) => {
      show(next)
      setMergedFrom(undefined)
      setState((before) => (before === 'conflict' ? before : next === kept.current?.text ? 'saved' : 'unsaved'))
    },
    [show],
  )
  /** Ends a conflict with the text that a person put together. */
  const settle = useCallback(
    (next: string) => {
      if (!theirs) return
      keep(theirs)
      show(next)
      setTheirs(undefined)
      setState(next === theirs.text ? 'saved' : 'unsaved')
    },
    [theirs, keep, show],
  )
  const revision = () => kept.current?.revision ?? 0
  const forget = () => {
    typed.current = kept.current?.text
    return queries.invalidateQueries({ queryKey: [['policies']] })
  }
  const others = editors.filter((name) => name !== me)
  return { query, text, state, savedAt, theirs, mergedFrom, problem, others, change, settle, save, revision, forget }
}
