'use client'
import type { AppRouter } from '@postern/control'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink } from '@trpc/client'
import { createTRPCContext } from '@trpc/tanstack-react-query'
import type { ReactNode } from 'react'
import { useState } from 'react'

const { TRPCProvider, useTRPC, useTRPCClient } = createTRPCContext<AppRouter>()

export { useTRPC, useTRPCClient }

const URL = '/api/trpc'

/**
 * The console's way to its own server: queries and drafts in batches, one event stream. Data is fresh until an event says otherwise
 * (`live.tsx`), so nothing is polled.
 */
export function DataProvider({ children }: { children: ReactNode }) {
  const [queryClient] = useState(() => new QueryClient({ defaultOptions: { queries: { staleTime: 60_000, retry: isWorthRetrying } } }))
  const [client] = useState(() =>
    createTRPCClient<AppRouter>({
      links: [
        splitLink({
          condition: (op) => op.type === 'subscription',
          true: httpSubscriptionLink({ url: URL }),
          false: httpBatchLink({ url: URL, maxURLLength: 6_000 }),
        }),
      ],
    }),
  )
  return (
    <QueryClientProvider client={queryClient}>
      <TRPCProvider trpcClient={client} queryClient={queryClient}>
        {children}
      </TRPCProvider>
    </QueryClientProvider>
  )
}

/** What the server refused it will refuse again; what did not reach it may get through. */
const isWorthRetrying = (failures: number, error: Error): boolean => failures < 2 && problemOf(error).status >= 500

/** A refusal of the server, as pages show it. */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly fix?: string
  readonly requestId?: string
  /** HTTP status; 599 when there was no answer. */
  readonly status: number
}

/** Reads what the server said; an error without an answer of ours is the network's. */
export function problemOf(error: unknown): Problem {
  const { data, message } = error as { data?: Record<string, unknown> | null; message?: string }
  if (!data) return { code: 'NO_ANSWER', message: message ?? '', status: 599 }
  const text = (name: string) => (typeof data[name] === 'string' ? (data[name] as string) : undefined)
  return {
    ...{ code: text('reason') ?? text('code') ?? 'UNKNOWN', message: message ?? '' },
    status: typeof data.httpStatus === 'number' ? data.httpStatus : 500,
    ...(text('fix') ? { fix: text('fix')! } : {}),
    ...(text('requestId') ? { requestId: text('requestId')! } : {}),
  }
}
