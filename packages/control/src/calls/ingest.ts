import { VerifyError } from '@postern/core'

export interface Ingested<T> {
  readonly good: readonly { readonly index: number; readonly token: string; readonly value: T }[]
  readonly refused: { index: number; code: string }[]
}

/** Verifies each token by itself: one that is bad says so and the others count. A gateway hands in only what it signed itself. */
export function ingest<T extends { readonly iss: string }>(
  tokens: readonly string[],
  from: string,
  verify: (token: string) => T,
): Ingested<T> {
  const good: { index: number; token: string; value: T }[] = []
  const refused: { index: number; code: string }[] = []
  for (const [index, token] of tokens.entries()) {
    try {
      const value = verify(token)
      if (value.iss === from) good.push({ index, token, value })
      else refused.push({ index, code: 'NOT_PERMITTED' })
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      refused.push({ index, code: error.code })
    }
  }
  return { good, refused }
}
