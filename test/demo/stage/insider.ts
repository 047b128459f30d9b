import type { HostileAgent } from '../hostile/agent.ts'
import type { Stage } from './stage.ts'
import { approach } from './stage.ts'

/** An enrolled agent gone bad, with a session on the filesystem server. */
export interface Insider {
  readonly agent: HostileAgent
  readonly sid: string
}

const insiders = new WeakMap<Stage, Promise<Insider>>()

/** The same one for all attacks of a stage, unless its channel has ended meanwhile. */
export async function insider(stage: Stage): Promise<Insider> {
  const known = await insiders.get(stage)
  if (known && known.agent.ending === undefined) return known
  const opening = open(stage)
  insiders.set(stage, opening)
  return opening
}

async function open(stage: Stage): Promise<Insider> {
  const agent = await approach(stage, stage.gateways.fs)
  return { agent, sid: await agent.open('fs') }
}

export async function dismissInsider(stage: Stage): Promise<void> {
  const known = await insiders.get(stage)?.catch(() => undefined)
  insiders.delete(stage)
  await known?.agent[Symbol.asyncDispose]()
}
