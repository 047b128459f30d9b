'use client'
import { CSPProvider } from '@base-ui/react/csp-provider'
import type { ReactNode } from 'react'
import { createContext, useContext } from 'react'

const Nonce = createContext<string | undefined>(undefined)

/** Gives every part that writes a style element the nonce that this answer's policy allows. */
export function StyleNonce({ nonce, children }: { nonce: string | undefined; children: ReactNode }) {
  return (
    <Nonce value={nonce}>
      <CSPProvider {...(nonce === undefined ? {} : { nonce })}>{children}</CSPProvider>
    </Nonce>
  )
}

/** For libraries that write styles of their own, such as the editor. */
export const useStyleNonce = (): string | undefined => useContext(Nonce)
