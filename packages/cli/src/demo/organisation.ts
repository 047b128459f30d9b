import type {
  AtSign,
  Bodies,
  CandidateKey,
  ChainOp,
  ControlClient,
  EdgeKeys,
  EdgeKind,
  KeyId,
  PublicKey,
  RevocationSet,
  Signature,
  Signed,
  State,
  Target,
} from '@postern/core'
import {
  addRevocation,
  aimAt,
  applyStatement,
  createControlClient,
  createEnrolment,
  decodeSigned,
  draftGenesis,
  draftStatement,
  ed25519PublicKey,
  edgeKeysOf,
  emptyRevocations,
  encodeBase64url,
  encodeEdgeSecrets,
  encodeLogin,
  encodeRevocation,
  encodeSigned,
  generateEdgeSecrets,
  keyIdOf,
  organisationOf,
  parseAtSign,
  parseEdgeSecrets,
  policyDigest,
  replay,
  signDetached,
  startState,
  unnamedIn,
  utf8,
} from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { Secret } from '@postern/daemon'
import { now, surroundings } from '../surroundings.ts'

/** A key as its owner holds it. In the demo all owners live in one directory, which says what this is. */
export interface DemoKey {
  readonly public: PublicKey
  readonly secret: Secret<Uint8Array>
}
export interface DemoEdge<K extends EdgeKind> {
  readonly atsign: AtSign
  readonly keys: EdgeKeys<K>
  readonly client: ControlClient
}

const DAY = 86_400
const ADMIN = parseAtSign('@demo')

/**
 * The demo's organisation, at a running control plane: everything in it is signed by keys of this directory, as people and edges would
 * sign it, and the control plane takes it through its ordinary doors.
 */
export class DemoOrganisation {
  readonly org: string
  readonly client: ControlClient
  readonly #control: string
  readonly #admin: DemoKey
  readonly #dir: StateDir
  state: State
  revocations: RevocationSet

  private constructor(control: string, dir: StateDir, admin: DemoKey, client: ControlClient, state: State, revocations: RevocationSet) {
    this.org = state.org
    this.client = client
    this.#control = control
    this.#admin = admin
    this.#dir = dir
    this.state = state
    this.revocations = revocations
  }

  /** Founds it with the genesis secret. */
  static async found(control: string, signer: string, secret: string, dir: StateDir): Promise<DemoOrganisation> {
    const [admin, recovery] = [makeKey('sign'), makeKey('recovery')]
    const body = {
      name: 'Demo (simulated)',
      nonce: encodeBase64url(surroundings.random(16)),
      admins: [{ atsign: ADMIN, keys: [admin.public] }],
      thresholds: { root: { m: 1 }, sensitive: { m: 1 }, routine: { m: 1 } },
      signer: { origins: [signer], rp_id: new URL(signer).hostname },
      console: { origins: [control] },
      recovery: recovery.public,
    }
    const bytes = draftGenesis(body, { at: now() })
    const genesis: Signed = { bytes, signatures: [admin, recovery].map((key) => sign(key, 'postern-statement-v1', bytes)) }
    await dir.write('admin.json', encodeKey(admin))
    await createControlClient(control, undefined, surroundings).call('/api/v1/log', { json: { entry: encodeSigned(genesis), secret } })
    const state = startState(genesis, organisationOf(bytes), surroundings.suite)
    return new DemoOrganisation(control, dir, admin, await signIn(control, state.org, admin), state, emptyRevocations())
  }

  /** The one that was founded here before; undefined when this directory has no key of it. */
  static async reopen(control: string, org: string, dir: StateDir): Promise<DemoOrganisation | undefined> {
    const bytes = await dir.read('admin.json')
    if (!bytes) return undefined
    const admin = decodeKey(bytes)
    const client = await signIn(control, org, admin)
    const entries = await readLog(client)
    const state = replay(org, entries, surroundings.suite)
    const opened = new DemoOrganisation(control, dir, admin, client, state, emptyRevocations())
    await opened.refreshRevocations()
    return opened
  }

  /** Takes up what others have added: the visitor is an administrator, too. */
  async refresh(): Promise<void> {
    const entries = await readLog(this.client, this.state.seq + 1)
    for (const entry of entries) this.state = applyStatement(this.state, entry, surroundings.suite)
    await this.refreshRevocations()
  }

  async refreshRevocations(): Promise<void> {
    const { revocations } = await this.client.call<{ revocations: { bytes: string; signatures: Signature[] }[] }>('/api/v1/revocations')
    for (const { bytes, signatures } of revocations)
      this.revocations = addRevocation(this.revocations, decodeSigned({ bytes, signatures }), this.state, surroundings.suite)
  }

  /** Drafts, signs and hands in the next statement; drafts again when somebody was faster. */
  async append<O extends ChainOp>(op: O, body: Bodies[O], policy?: Uint8Array): Promise<string> {
    for (let attempt = 0; ; attempt += 1) {
      const bytes = draftStatement(this.state, op, body, { at: now(), rev: unnamedIn(this.revocations, this.state) })
      const signed = { bytes, signatures: [sign(this.#admin, 'postern-statement-v1', bytes)] }
      const next = applyStatement(this.state, signed, surroundings.suite)
      const json = { entry: encodeSigned(signed), ...(policy ? { policy: encodeBase64url(policy) } : {}) }
      try {
        await this.client.call('/api/v1/log', { json })
        this.state = next
        return next.head
      } catch (error) {
        if ((error as { code?: string }).code !== 'CONFLICT' || attempt >= 5) throw error
        await this.refresh()
      }
    }
  }

  async enrolPerson(atsign: string, agents: number): Promise<DemoKey> {
    const key = makeKey('sign')
    const exp = now() + 365 * DAY
    const fields = this.#request('person', atsign, [key])
    await this.append('person.enroll', { ...fields, exp, tags: [], delegation: { agents, tags: ['desk'], exp } } as Bodies['person.enroll'])
    return key
  }

  /** @param leaseSeconds default: what people sign every day */
  async enrolEdge<K extends EdgeKind>(
    kind: K,
    atsign: string,
    { tags = [], owner, leaseSeconds = 90 * DAY }: { tags?: readonly string[]; owner?: string; leaseSeconds?: number } = {},
  ): Promise<DemoEdge<K>> {
    const secrets = generateEdgeSecrets(kind, surroundings.random, [])
    await this.#dir.write(`${kind}-${atsign}.json`, encodeEdgeSecrets(secrets))
    const keys = edgeKeysOf(kind, secrets, (bytes) => new Secret(bytes))
    const who = owner ? { owner: parseAtSign(owner) } : {}
    const body = { ...this.#request(kind, atsign, Object.values(keys), who), exp: now() + leaseSeconds, tags: [...tags].sort() }
    if (kind === 'gateway') await this.append('gateway.enroll', body as Bodies['gateway.enroll'])
    else await this.append('agent.enroll', { ...body, ...who } as Bodies['agent.enroll'])
    return this.#edge(atsign, keys)
  }

  /** An edge that was enrolled before. */
  async findEdge<K extends EdgeKind>(kind: K, atsign: string): Promise<DemoEdge<K> | undefined> {
    const bytes = await this.#dir.read(`${kind}-${atsign}.json`)
    if (!bytes || !this.state.identities.has(parseAtSign(atsign))) return undefined
    return this.#edge(
      atsign,
      edgeKeysOf(kind, parseEdgeSecrets(bytes), (secret) => new Secret(secret)),
    )
  }

  async signPolicy(document: object): Promise<void> {
    const bytes = utf8(JSON.stringify(document, null, 2))
    await this.append('policy.set', { sha256: policyDigest(bytes), name: 'main' }, bytes)
  }

  async revoke(targets: readonly Target[], reason: string, until?: number): Promise<void> {
    const bytes = encodeRevocation({ org: this.org, ...aimAt(targets), reason, at: now(), ...(until === undefined ? {} : { until }) })
    const signed = { bytes, signatures: [sign(this.#admin, 'postern-revocation-v1', bytes)] }
    await this.client.call('/api/v1/revocations', { json: encodeSigned(signed) })
    this.revocations = addRevocation(this.revocations, signed, this.state, surroundings.suite)
  }

  /** Somebody who wants to join and whom nobody has approved yet. */
  async ask(kind: EdgeKind, atsign: string, facts: Readonly<Record<string, string>>, owner?: string): Promise<void> {
    const { code } = await this.client.call<{ code: string }>('/api/v1/codes', { json: { kind, tags: ['demo'], minutes: 60 } })
    const keys = edgeKeysOf(kind, generateEdgeSecrets(kind, surroundings.random, []), (bytes) => new Secret(bytes))
    const { request, proofs } = this.#request(kind, atsign, Object.values(keys), owner ? { owner: parseAtSign(owner) } : {})
    await createControlClient(this.#control, undefined, surroundings).call('/api/v1/enrolments', { json: { code, request, proofs, facts } })
  }

  #edge<K extends EdgeKind>(atsign: string, keys: EdgeKeys<K>): DemoEdge<K> {
    const { auth } = keys as EdgeKeys<'agent'>
    return { atsign: parseAtSign(atsign), keys, client: createControlClient(this.#control, auth, surroundings) }
  }

  #request(kind: 'person' | EdgeKind, atsign: string, keys: readonly CandidateKey[], owner: { owner?: AtSign } = {}) {
    const join = { org: this.org, control: this.#control, code: '' }
    const { request, proofs } = createEnrolment(join, { kind, atsign: parseAtSign(atsign), ...owner }, keys, surroundings)
    return { request: encodeBase64url(request), proofs }
  }
}

const sign = ({ secret }: DemoKey, namespace: Parameters<typeof signDetached>[1], bytes: Uint8Array): Signature =>
  signDetached(secret.expose(), namespace, bytes, surroundings.suite)

function makeKey(use: 'sign' | 'recovery' | 'auth', seed = surroundings.random(32)): DemoKey {
  const alg = use === 'auth' ? 'ed25519' : 'ssh-ed25519'
  return { public: { use, alg, key: encodeBase64url(ed25519PublicKey(seed)) }, secret: new Secret(seed) }
}
const encodeKey = ({ secret }: DemoKey): string => JSON.stringify({ v: 1, seed: Buffer.from(secret.expose()).toString('base64url') })
const decodeKey = (bytes: Uint8Array): DemoKey =>
  makeKey('sign', new Uint8Array(Buffer.from(JSON.parse(new TextDecoder().decode(bytes)).seed, 'base64url')))

async function signIn(control: string, org: string, key: DemoKey): Promise<ControlClient> {
  const session = makeKey('auth')
  const at = now()
  const nonce = encodeBase64url(surroundings.random(16))
  const bytes = encodeLogin({ org, atsign: ADMIN, console: control, nonce, at, exp: at + 120, session_key: session.public })
  const login = encodeSigned({ bytes, signatures: [sign(key, 'postern-login-v1', bytes)] })
  await createControlClient(control, undefined, surroundings).call('/api/v1/sessions', { json: { login } })
  return createControlClient(control, { kid: keyIdOf(session.public) as KeyId, secret: session.secret }, surroundings)
}

async function readLog(client: ControlClient, from = 0): Promise<readonly Signed[]> {
  const entries: Signed[] = []
  for (let next: number | null = from; next !== null; ) {
    const page: { entries: { bytes: string; signatures: Signature[] }[]; next: number | null } = await client.call(
      `/api/v1/log?from=${next}`,
    )
    entries.push(...page.entries.map(({ bytes, signatures }) => decodeSigned({ bytes, signatures })))
    next = page.next
  }
  return entries
}
