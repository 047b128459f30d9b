import type { Subject } from './action.ts'
import { isAtOrBelow } from './address.ts'
import type { Policy } from './document.ts'
import { isAbout } from './scope.ts'

/** What an agent may want of a server beside calling a tool. */
export type Beyond = { readonly resource: string } | { readonly prompt: string } | { readonly method: string }

/**
 * Whether an agent may use a resource, prompt or further method of a server. Pure and total; nothing matches = no. Does NOT know whether the
 * agent may use the server at all, nor what a server does with an address.
 * @see packages/core/spec/policy.md §11
 */
export function permitsBeyond(policy: Policy, subject: Pick<Subject, 'atsign' | 'tags'>, server: string, wanted: Beyond): boolean {
  return policy.beyond.some(({ who, servers, resources, prompts, methods }) => {
    if (!isAbout(who, subject) || (servers !== undefined && !servers.has(server))) return false
    if ('resource' in wanted) return resources.some((named) => named === '*' || isAtOrBelow(wanted.resource, named))
    if ('prompt' in wanted) return prompts.has('*') || prompts.has(wanted.prompt)
    return methods.has(wanted.method)
  })
}
