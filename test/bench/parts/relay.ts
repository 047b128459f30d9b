// (4) The relay: bytes per second between two peers, beside two ends without a relay; memory per idle peer.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Home, RelayChild } from '../../fixtures/processes.ts'
import { freePorts, openHome, startNode, startRelay } from '../../fixtures/processes.ts'
import { keyOf, openFakeAdmission } from '../../fixtures/relay-peer.ts'
import { cpuMicros, residentBytes } from '../load.ts'
import type { Contestant } from '../measure.ts'
import { measure } from '../measure.ts'
import type { PartReport, Row } from '../report.ts'
import { rowOf } from '../report.ts'
import type { Bench } from '../settings.ts'

const client = join(import.meta.dirname, '../relay-client.ts')
const ORG = 7
/** Lets the bench ask for a full collection, so that memory is what is held and not what has not been swept yet. */
const collectOnSignal = ['--expose-gc', '--import', "data:text/javascript,process.on('SIGUSR2',()=>{gc();gc()})"]

export async function relay({ isQuick, say }: Bench): Promise<PartReport> {
  await using admission = await openFakeAdmission()
  await using home = await openHome('bench-relay')
  const peers = isQuick ? 1000 : 5000
  for (let number = 0; number < peers + 2; number++) {
    const { kidText, orgText } = keyOf(number, ORG)
    admission.admitted.set(kidText, orgText)
  }
  const idle = await memoryPerPeer(home, admission.url, peers, say)
  const flow = await throughput(home, admission.url, isQuick, say)
  return {
    title: '4. The relay',
    rows: [...flow.rows, idle],
    ratios: { ...flow.ratios, 'relay: bytes per idle peer / 20 kB': Number(idle.values.bytes_per_idle_peer) / 20_000 },
    goals: [{ name: `memory per idle peer at ${peers}`, value: Number(idle.values.bytes_per_idle_peer) / 1000, goal: 20, unit: ' kB' }],
    notes: [
      'idle: resident memory of the relay with all peers less that without, both after a full collection; sockets of the system are not in it',
    ],
  }
}

async function memoryPerPeer(home: Home, controlUrl: string, count: number, say: Bench['say']): Promise<Row> {
  const [port] = await freePorts(1)
  await using child = await startRelay(home, { port: port!, controlUrl, nodeOptions: collectOnSignal })
  const warm = startNode('peers', client, ['idle', child.url, '100'])
  await warm.said(/^up$/m, 60_000)
  await warm.stop()
  const before = await settledBytes(child)
  const started = performance.now()
  await using crowd = startNode('peers', client, ['idle', child.url, String(count)])
  await crowd.said(/^up$/m, 120_000)
  say(`relay: ${count} peers after ${Math.round((performance.now() - started) / 1000)} s`)
  const after = await settledBytes(child)
  return { name: `${count} idle peers`, values: { bytes_per_idle_peer: (after - before) / count, total_mb: after / 1e6 } }
}

async function settledBytes({ process: { pid }, process: child }: RelayChild): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await sleep(700)
    child.kill('SIGUSR2')
  }
  await sleep(700)
  return residentBytes(pid!) ?? Number.NaN
}

async function throughput(home: Home, controlUrl: string, isQuick: boolean, say: Bench['say']) {
  const [port, direct] = await freePorts(2)
  await using child = await startRelay(home, { port: port!, controlUrl })
  const sizes = [64_000, 1000]
  const contestants = sizes.flatMap((size) => [flow('relay', child.url, size, child.pid), flow('no relay', String(direct), size)])
  const results = await measure(contestants, {
    rounds: isQuick ? 1 : 3,
    extraRounds: isQuick ? 0 : 2,
    progress: (line) => say(`relay: ${line}`),
  })
  const megabytes = (name: string, size: number) => results.get(nameOf(name, size))!.values.mb_per_s!
  const ratios = sizes.map((size) => [
    `relay: bytes/s through it / without, ${size} B frames`,
    megabytes('relay', size) / megabytes('no relay', size),
  ])
  return { rows: [...results.values()].map(rowOf), ratios: Object.fromEntries(ratios) as Record<string, number> }
}

const nameOf = (name: string, size: number) => `${name}, ${size} B frames`

function flow(name: string, url: string, size: number, relayPid?: number): Contestant {
  return {
    name: nameOf(name, size),
    async block() {
      await using receiver = startNode('receiver', client, ['receive', url, '0'])
      await receiver.said(/^ready$/m)
      const cpuBefore = relayPid === undefined ? undefined : cpuMicros(relayPid)
      await using _sender = startNode('sender', client, ['send', url, '1', '0', String(size), '1.5'])
      const [, bytes, frames, ms] = (await receiver.said(/^(\d+) (\d+) ([\d.]+)$/m)).map(Number)
      const cpu = relayPid === undefined ? undefined : cpuMicros(relayPid)! - cpuBefore!
      const rates = { mb_per_s: bytes! / 1000 / ms!, frames_per_s: (frames! * 1000) / ms! }
      return cpu === undefined ? rates : { ...rates, relay_us_per_frame: cpu / frames! }
    },
  }
}
