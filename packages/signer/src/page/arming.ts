/** How long a sign button must have been in front of a person before it does anything. */
export const ARMING_MS = 800

/** What arming looks at. The browser's are `browserAttention`; tests bring their own. */
export interface Attention {
  /** Whether the page is visible and has the focus. */
  isThere(): boolean
  /** Calls back whenever that may have changed. @returns stops it */
  watch(changed: () => void): () => void
  /** @returns stops it */
  after(ms: number, run: () => void): () => void
}

export const browserAttention: Attention = {
  isThere: () => document.visibilityState === 'visible' && document.hasFocus(),
  watch(changed) {
    const events = ['focus', 'blur', 'pageshow'] as const
    for (const name of events) window.addEventListener(name, changed)
    document.addEventListener('visibilitychange', changed)
    return () => {
      for (const name of events) window.removeEventListener(name, changed)
      document.removeEventListener('visibilitychange', changed)
    }
  },
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/**
 * Says when a button may act: after 800 ms in which the page was visible and focused without a break, and `gates` were open; anew after
 * each loss. So no click that was meant for something else, and no window that jumps in front, signs anything.
 * @returns stop: never armed again
 */
export function watchArming(attention: Attention, gatesAreOpen: () => boolean, onChange: (isArmed: boolean) => void) {
  let isArmed = false
  let cancel: (() => void) | undefined
  const set = (next: boolean) => {
    if (next === isArmed) return
    isArmed = next
    onChange(next)
  }
  const look = () => {
    if (!attention.isThere() || !gatesAreOpen()) {
      cancel?.()
      cancel = undefined
      set(false)
      return
    }
    if (isArmed || cancel) return
    cancel = attention.after(ARMING_MS, () => {
      cancel = undefined
      if (attention.isThere() && gatesAreOpen()) set(true)
    })
  }
  const unwatch = attention.watch(look)
  look()
  return {
    /** To be called when a gate may have opened or closed. */
    look,
    isArmed: () => isArmed && attention.isThere() && gatesAreOpen(),
    stop() {
      unwatch()
      cancel?.()
      cancel = undefined
      set(false)
    },
  }
}
