import type { AtSign } from '@postern/core'
import type { Store } from './store.ts'

/** An organisation that this device knows. */
export interface KnownOrganisation {
  readonly org: string
  readonly name: string
  /** Whether a person has compared its eight words here, or founded it here. */
  readonly compared: boolean
  /** Whoever signed last for it on this device. */
  readonly me?: AtSign
  /** Where its control plane was then. */
  readonly control: string
}

/** A person's own request, posted from here and not decided yet. */
export interface Asked {
  readonly id: string
  readonly atsign: AtSign
  readonly request: Uint8Array
  readonly exp: number
}

/** What this device remembers beside the logs: pins, names, what was signed. None of it is secret, all of it only ever warns or refuses. */
export interface Memory {
  /** The organisation that a control plane served when it was first met. */
  pinOf(control: string): Promise<string | undefined>
  known(org: string): Promise<KnownOrganisation | undefined>
  organisations(): Promise<readonly KnownOrganisation[]>
  remember(organisation: KnownOrganisation): Promise<void>
  /** Forgets the pin of one control plane and what was compared; the verified log stays. */
  forget(control: string, org: string): Promise<void>
  /** Hashes of statements for this place in the log that were signed on this device. */
  signedAt(org: string, seq: number): Promise<readonly string[]>
  recordSigned(org: string, seq: number, hash: string): Promise<void>
  asked(org: string, code: string): Promise<Asked | undefined>
  recordAsked(org: string, code: string, asked: Asked): Promise<void>
}

export function createMemory(store: Store): Memory {
  const orgKey = (org: string) => `org/${org}`
  const seqKey = (org: string, seq: number) => `signed/${org}/${seq}`
  return {
    pinOf: (control) => store.get(`pin/${control}`),
    known: (org) => store.get(orgKey(org)),
    async organisations() {
      const keys = (await store.keys()).filter((key) => key.startsWith('org/'))
      const found = await Promise.all(keys.map((key) => store.get<KnownOrganisation>(key)))
      return found.filter((organisation) => organisation !== undefined)
    },
    async remember(organisation) {
      const before = await store.get<KnownOrganisation>(orgKey(organisation.org))
      await store.set(orgKey(organisation.org), { ...before, ...organisation })
      await store.set(`pin/${organisation.control}`, organisation.org)
    },
    async forget(control, org) {
      await store.delete(`pin/${control}`)
      await store.delete(orgKey(org))
    },
    signedAt: async (org, seq) => (await store.get<readonly string[]>(seqKey(org, seq))) ?? [],
    async recordSigned(org, seq, hash) {
      const before = (await store.get<readonly string[]>(seqKey(org, seq))) ?? []
      if (!before.includes(hash)) await store.set(seqKey(org, seq), [...before, hash])
    },
    asked: (org, code) => store.get(`asked/${org}/${code}`),
    recordAsked: (org, code, asked) => store.set(`asked/${org}/${code}`, asked),
  }
}
