import { allowed, attack, must } from '../attack.ts'
import { familyOf, noProc } from '../proc/processes.ts'
import { listeningSockets } from '../proc/sockets.ts'

/** Looks for a door: any socket of the gateways, or of the servers they started, on which a stranger could knock. */
export const gatewaySockets = attack({
  name: 'sockets of the gateway process',
  expect: 'NO_OPEN_PORT',
  honest: {
    name: 'a call, so that the server behind the gateway runs',
    run: async ({ client, files }) => void allowed(await client.call('read_text_file', { path: files.note, head: 1 })),
  },
  async run({ gateways, relay }) {
    const skipped = noProc()
    if (skipped) return { skipped }
    must(listeningSockets(relay.pid).length > 0, 'the search does not even find the port of the relay')
    const pids = [gateways.fs, gateways.memory].map(({ child }) => child.pid)
    const family = pids.flatMap(familyOf)
    must(family.length > pids.length, 'no gateway has started a server')
    const open = pids.flatMap(listeningSockets)
    const note =
      open.length > 0
        ? open.map(({ protocol, port, pid }) => `${protocol} ${port} (${pid})`).join(', ')
        : `${family.length} processes, TCP and UDP`
    return { code: open.length > 0 ? 'ALLOWED' : 'NO_OPEN_PORT', note }
  },
})
