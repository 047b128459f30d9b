import type { Page } from '@playwright/test'

export interface Answered<T> {
  readonly status: number
  readonly data: T
  readonly code?: string
}

/** A procedure of the console, called as one of its pages does: with the cookie of this browser. */
export const mutate = <T>(page: Page, name: string, input: object): Promise<Answered<T>> =>
  page.evaluate(
    async ([path, body]) => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`/api/trpc/${path}`, { method: 'POST', headers, body: body! })
      const json = await answer.json()
      return { status: answer.status, data: json.result?.data, code: json.error?.data?.reason ?? json.error?.code }
    },
    [name, JSON.stringify(input)] as const,
  )
