import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { familyOf } from './processes.ts'

export interface OpenSocket {
  readonly pid: number
  readonly protocol: string
  readonly port: number
}

/** State of a socket in `/proc/net`: for TCP and its kin 0A is LISTEN; a UDP or raw socket that takes datagrams from anybody shows 07. */
const waiting: Readonly<Record<string, string>> = {
  ...{ tcp: '0A', tcp6: '0A', udp: '07', udp6: '07', udplite: '07', udplite6: '07', raw: '07', raw6: '07' },
}

/**
 * The sockets on which a process, or anything it started, waits for strangers: TCP that listens, UDP and raw that is not connected.
 * Unix sockets are files and do not count.
 */
export const listeningSockets = (pid: number): OpenSocket[] => familyOf(pid).flatMap(socketsOf)

function socketsOf(pid: number): OpenSocket[] {
  const held = inodesOf(pid)
  return Object.entries(waiting).flatMap(([protocol, state]) =>
    tableOf(pid, protocol)
      .filter((row) => row.state === state && held.has(row.inode))
      .map(({ port }) => ({ pid, protocol, port })),
  )
}

function inodesOf(pid: number): ReadonlySet<string> {
  const directory = `/proc/${pid}/fd`
  const links = names(directory).map((fd) => {
    try {
      return readlinkSync(`${directory}/${fd}`)
    } catch {
      return '' // closed meanwhile
    }
  })
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function tableOf(pid: number, protocol: string): { state: string; port: number; inode: string }[] {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/net/${protocol}`, 'latin1')
  } catch {
    return [] // this kernel has no such protocol, or the process has ended
  }
  const rows = text.trim().split('\n').slice(1)
  return rows.map((row) => {
    const fields = row.trim().split(/\s+/)
    return { state: fields[3]!, port: Number.parseInt(fields[1]!.split(':')[1]!, 16), inode: fields[9]! }
  })
}
