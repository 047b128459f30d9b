import type { Ask, AskDetail, AtSign, EdgeKey, Grant, GrantDetail, KeyId, RefusalCode, RiskClass, Suite, VerifyCode } from '@postern/core'
import {
  access,
  encodeBase64url,
  intentOf,
  MAX_GRANT_SECONDS,
  RISK_CLASSES,
  refusals,
  signGrant,
  tokenHash,
  VerifyError,
  verifyAsk,
} from '@postern/core'
import type { LiveAgent, No } from '../authorise/candidate.ts'
import { no } from '../authorise/candidate.ts'
import type { AuthorityView } from '../authority/view.ts'

/** A grant as it travels, or why there is none. */
export type Answer =
  | { readonly grant: string }
  | { readonly refused: { readonly code: RefusalCode; readonly message: string; readonly fix: string } }

export interface IssuerParts {
  readonly org: string
  readonly self: AtSign
  readonly key: EdgeKey
  readonly epoch: () => string
  readonly view: AuthorityView
  readonly suite: Suite
  readonly random: (n: number) => Uint8Array
  /** Hears of every grant given, with the rule for each of its details. */
  readonly onIssued?: (hash: string, grant: Grant, rules: readonly (string | undefined)[]) => void
}

/** Gives grants, under the signed policy and nothing else. Both doors, the channel and the REST one, end here. */
export interface Issuer {
  /** @param from Over a channel: whose it is. @param now Unix seconds. */
  answer(token: string, from: AtSign | undefined, now: number): Answer
}

/** An ask is answered once; whoever repeats it, because the answer got lost, gets the same until then. */
const repeatSeconds = 120
const maxRemembered = 65_536

interface Remembered {
  readonly hash: string
  readonly answer: Answer
  readonly until: number
}

export function createIssuer(parts: IssuerParts): Issuer {
  const remembered = new Map<string, Remembered>()

  const forget = (now: number) => {
    for (const [key, { until }] of remembered) {
      if (until > now && remembered.size < maxRemembered) return
      remembered.delete(key)
    }
  }
  const decide = (token: string, from: AtSign | undefined, now: number): Answer => {
    const opened = openAsk(token, from, now, parts)
    if ('code' in opened) return refuse(opened)
    const { ask, agent } = opened
    forget(now)
    const key = `${ask.iss} ${ask.jti}`
    const hash = tokenHash(token, parts.suite)
    const known = remembered.get(key)
    if (known) return known.hash === hash ? known.answer : refuse(no('ASK_MALFORMED', 'its jti was used for another ask'))
    const answer = issue(ask, agent, now, parts)
    remembered.set(key, { hash, answer, until: ask.exp + repeatSeconds })
    return answer
  }
  return {
    answer(token, from, now) {
      try {
        return decide(token, from, now)
      } catch (error) {
        if (error instanceof VerifyError) return refuse(no('ASK_MALFORMED', error.message))
        return refuse(no('INTERNAL'))
      }
    },
  }
}

const refuse = ({ code, why }: No): Answer => {
  const { title, fix } = refusals[code]
  return { refused: { code, message: (why === undefined ? title : `${title} (${why})`).slice(0, 300), fix } }
}

/** The ask is signed by the call key of an agent that is live now; nothing that carried it counts. */
function openAsk(
  token: string,
  from: AtSign | undefined,
  now: number,
  { org, self, view, suite }: IssuerParts,
): { ask: Ask; agent: LiveAgent } | No {
  let agent: LiveAgent | undefined
  const resolve = (iss: AtSign, kid: KeyId) => {
    agent = view.agent(iss, now)
    return agent?.callKid === kid ? agent.callKey : undefined
  }
  try {
    const ask = verifyAsk(token, resolve, { org, now, suite, audience: self })
    if (from !== undefined && ask.iss !== from) return no('ASK_SIGNATURE', 'the ask is of another agent than the channel')
    return agent ? { ask, agent } : no('REVOKED')
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    if (error.code === 'UNKNOWN_KEY' && !agent) return no('REVOKED', 'the agent is not enrolled, or may not act now')
    return no(askCodes[error.code] ?? 'ASK_MALFORMED', error.message)
  }
}
const askCodes: Partial<Record<VerifyCode, 'ASK_SIGNATURE' | 'ASK_EXPIRED'>> = {
  BAD_SIGNATURE: 'ASK_SIGNATURE',
  UNKNOWN_KEY: 'ASK_SIGNATURE',
  WRONG_KEY_USE: 'ASK_SIGNATURE',
  EXPIRED: 'ASK_EXPIRED',
  NOT_YET_VALID: 'ASK_EXPIRED',
}

interface Granted {
  readonly detail: GrantDetail
  readonly risk: RiskClass
  readonly ttlSeconds: number
  readonly calls: number | undefined
  readonly rule: string | undefined
}

function issue(ask: Ask, agent: LiveAgent, now: number, parts: IssuerParts): Answer {
  const { view } = parts
  const { policy } = view
  if (!policy) return refuse(view.trouble(undefined, now) ?? no('NO_POLICY'))
  const granted: Granted[] = []
  for (const detail of ask.details) {
    const one = grantDetail(detail, agent, parts)
    if ('code' in one) return refuse(one)
    granted.push(one)
  }
  const trouble = view.trouble(worstOf(granted), now)
  if (trouble) return refuse(trouble)
  const grant = grantOf(ask, agent, granted, now, parts)
  const token = signGrant(grant, parts.key.secret.expose(), parts.suite)
  parts.onIssued?.(
    tokenHash(token, parts.suite),
    grant,
    granted.map(({ rule }) => rule),
  )
  return { grant: token }
}

/** A pinned tool that the policy could let this agent call, with the conditions that the agent itself asked for. */
function grantDetail(asked: AskDetail, { subject, servers }: LiveAgent, { view }: IssuerParts): Granted | No {
  const { server, tool } = asked
  const pin = view.pin(server, tool)
  if (!pin) return no('TOOL_NOT_PINNED', `${server}.${tool}`)
  if (servers && !servers.includes(server)) return no('POLICY_DENIED', `the delegation does not cover ${server}`)
  const { effect, limits, rule } = access(view.policy!.document, subject, server, tool, pin.risk)
  if (effect === 'deny')
    return no('POLICY_DENIED', rule === undefined ? `no rule allows ${server}.${tool}` : `rule ${rule} denies ${server}.${tool}`)
  return { detail: { ...asked, schema: pin.digest }, risk: pin.risk, ttlSeconds: limits.ttlSeconds, calls: limits.calls, rule }
}

/** The strictest freshness that one of the tools needs. */
const worstOf = (granted: readonly Granted[]): RiskClass => granted.find(({ risk }) => risk !== RISK_CLASSES[0])?.risk ?? RISK_CLASSES[0]

function grantOf(ask: Ask, agent: LiveAgent, granted: readonly Granted[], now: number, parts: IssuerParts): Grant {
  const { org, self, key, epoch, view, suite, random } = parts
  const { seq, head } = view.snapshot.state!
  const { owner } = agent.subject
  const ttl = Math.min(MAX_GRANT_SECONDS, ...granted.map(({ ttlSeconds }) => ttlSeconds))
  const calls = granted.map((one) => one.calls ?? Number.POSITIVE_INFINITY)
  const max = Math.max(...calls)
  return {
    ...{ v: 1, org, iss: self, kid: key.kid, aud: self, epoch: epoch(), sub: ask.iss, log: { seq, head } },
    ...(owner === undefined ? {} : { obo: owner }),
    pol: view.policy!.digest,
    cnf: { jkt: agent.callKid },
    jti: encodeBase64url(random(16)),
    ...{ nbf: now, exp: now + ttl },
    ...(Number.isFinite(max) ? { max } : {}),
    authorization_details: granted.map(({ detail }) => detail),
    ...(ask.intent === undefined ? {} : { intent: intentOf(ask.intent, ask.jti, suite) }),
  }
}
