import type {
  AtSign,
  Call,
  Decision,
  Grant,
  GrantDetail,
  KeyId,
  OutputMode,
  Policy,
  PublicKey,
  RefusalCode,
  RiskClass,
  RpcRequest,
  Subject,
  ToolCall,
  ToolPin,
} from '@postern/core'
import type { Fit } from '../checks/schemas.ts'
import type { GrantUse } from './uses.ts'
import type { InputRequest } from './world.ts'

/** One CALL message as it came, and the channel and session it came on. Everything in it is the agent's word. */
export interface CallInput {
  readonly channel: {
    /** The agent whose channel key the handshake proved. */
    readonly agent: AtSign
    readonly key: KeyId
    /** Handshake hash, base64url. */
    readonly binding: string
  }
  readonly session: {
    readonly server: string
    /** Tool → digest of the definition that the server gives in this session. Undefined: the server has not been asked. */
    readonly offered: ReadonlyMap<string, string> | undefined
    /** How the arguments go with the input schema of the definition that is offered; undefined: it has none. */
    readonly fit: Fit | undefined
  }
  readonly header: {
    readonly salt: string
    readonly call: string
    readonly gth?: string
    readonly grant?: string
    /** The agent was told that this very call is held under this id. */
    readonly held?: string
  }
  /** The JSON-RPC request, UTF-8. */
  readonly body: Uint8Array
}

/** Why a call does not run. `step` names the row of the table that said so. */
export interface Refusal {
  readonly effect: 'refuse'
  readonly step: string
  readonly code: RefusalCode
  readonly message: string
  readonly fix: string
  readonly rule?: string
  readonly trace?: readonly string[]
  /** What was established before, for the receipt; hashes of tokens that may not have been verified. */
  readonly about: CallFacts
}

/** The id was used before, for the same call: nothing runs, and what is known of the first one is the answer. */
export interface Repeated {
  readonly effect: 'repeat'
  readonly id: string
  readonly about: CallFacts
}

/** Everything was checked. The counters are taken: whoever holds this runs it once, after its start record, or not at all. */
export interface Permit {
  readonly effect: 'run'
  readonly about: CallFacts & { readonly gth: string; readonly tool: string }
  readonly call: Call
  readonly salt: string
  readonly grant: Grant
  readonly risk: RiskClass
  readonly rule: string | undefined
  /** What the policy asks of the result. */
  readonly output: OutputMode | undefined
  readonly pol: string
  /** The parsed object on which was decided, and which is forwarded. */
  readonly request: RpcRequest
  /** The person who approved this call. */
  readonly approval?: ApprovedBy
}

/** Somebody who may decide about a call and can open what is sealed: live now, with all their seal keys. */
export interface Approver {
  readonly atsign: AtSign
  readonly keys: readonly PublicKey[]
}

/** Who decided about a held call; `h` is the digest of what was signed, `id` the hold's. */
export interface ApprovedBy {
  readonly id: string
  readonly by: AtSign
  readonly h: string
}

/** Everything was checked, and a person is to be asked: `permit` may be run once, after an approval that `again` has not refused. */
export interface Asked {
  readonly effect: 'ask'
  readonly about: Permit['about']
  readonly permit: Permit
  readonly input: CallInput
  readonly use: GrantUse
  readonly schema: string
  readonly owner: AtSign | undefined
  /** All whom the rule names; those of them whom the call can be shown to. */
  readonly named: readonly AtSign[]
  readonly approvers: readonly Approver[]
  readonly waitSeconds: number
  readonly policy: { readonly name: string; readonly rule: string; readonly line: number }
}

export type Verdict = Permit | Asked | Repeated | Refusal

/** What a receipt can say about a call, as far as it is known. */
export interface CallFacts {
  readonly agent: AtSign
  readonly server: string
  readonly gth: string | undefined
  /** Token hash of the call. The decision does not need it: whoever writes the call down adds it. */
  readonly cth?: string
  readonly tool: string | undefined
}

/** An agent that is enrolled, within its lease and not revoked, and whose owner is too: as authority has it now. */
export interface LiveAgent {
  readonly subject: Subject
  readonly enrolment: string
  readonly callKey: PublicKey
  readonly callKid: KeyId
  readonly channelKid: KeyId
  /** The only servers it may use; undefined: no such limit. */
  readonly servers: readonly string[] | undefined
}

/** What the steps find out on their way, each for those after it. A step that misses something throws, which refuses. */
export class Candidate {
  readonly input: CallInput
  /** Unix seconds. */
  readonly now: number
  request: RpcRequest | undefined = undefined
  toolCall: ToolCall | undefined = undefined
  use: GrantUse | undefined = undefined
  agent: LiveAgent | undefined = undefined
  call: Call | undefined = undefined
  detail: GrantDetail | undefined = undefined
  pin: ToolPin | undefined = undefined
  decision: Decision | undefined = undefined
  approvers: readonly Approver[] | undefined = undefined
  /** This call continues one that asked for input: the two are counted once. */
  continues: InputRequest | undefined = undefined

  constructor(input: CallInput, now: number) {
    this.input = input
    this.now = now
  }
}

/** What a step says: nothing (go on), no, or that this was asked before. */
export type StepOutcome = undefined | No | { readonly repeat: string }
export interface No {
  readonly code: RefusalCode
  /** For people; repeats no argument's value. Default: the code's own sentence. */
  readonly why?: string
  readonly rule?: string
  readonly trace?: readonly string[]
}

export const no = (code: RefusalCode, why?: string): No => (why === undefined ? { code } : { code, why })

/** For what an earlier step must have found. */
export function found<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a step ran before the one it needs')
  return value
}

/** What the authoriser asks of the verified authority state, each time anew. It never asks anybody else. */
export interface Authority {
  /** Undefined: unknown, lease over, revoked, suspended, or its owner is. */
  agent(atsign: AtSign, now: number): LiveAgent | undefined
  isGrantRevoked(hash: string, now: number): boolean
  /** Why nothing of this risk may run now although the call may be in order: stale, forked, behind, clock. */
  trouble(risk: RiskClass | undefined, now: number): No | undefined
  /** The gateway's own issue key, live in the log. */
  issueKey(kid: KeyId): PublicKey | undefined
  pin(server: string, tool: string): ToolPin | undefined
  /** Of these names, the people who are live now and have seal keys. */
  approvers(names: readonly AtSign[], now: number): readonly Approver[]
  readonly policy: { readonly digest: string; readonly document: Policy } | undefined
}
