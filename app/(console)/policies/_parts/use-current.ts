'use client'
import { policyDigest, utf8 } from '@postern/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useTRPC } from '../../../_trpc/client.tsx'

/** The bytes of a policy by their digest, checked here. `isForged`: what the server gave has another one. */
export function useDocument(sha256: string | undefined) {
  const trpc = useTRPC()
  const document = useQuery({
    ...trpc.policies.document.queryOptions({ sha256: sha256 ?? '' }),
    enabled: sha256 !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  })
  const text = sha256 === undefined ? undefined : document.data?.text
  const bytes = useMemo(() => (text === undefined ? undefined : utf8(text)), [text])
  const isForged = bytes !== undefined && policyDigest(bytes) !== sha256
  return {
    text: isForged ? undefined : text,
    bytes: isForged ? undefined : bytes,
    isForged,
    error: document.error,
    isPending: sha256 !== undefined && document.isPending,
  }
}

/** The policy in force: which version, and its bytes. */
export function useCurrent() {
  const trpc = useTRPC()
  const versions = useQuery(trpc.policies.versions.queryOptions())
  const version = versions.data?.[0]
  const document = useDocument(version?.bytes === undefined ? undefined : version.sha256)
  return {
    ...document,
    version,
    versions: versions.data,
    error: versions.error ?? document.error,
    isPending: versions.isPending || document.isPending,
  }
}
