import { randomBytes } from 'node:crypto'
import type { Readable, Writable } from 'node:stream'
import type { Receipt, Suite } from '@postern/core'
import type { Clock, Log } from '@postern/daemon'
import { createLog, native, openSocket, requestBytes, requestJson, systemClock } from '@postern/daemon'

/** The ways out of this process. Tests put an in-memory network in their place. */
export interface Net {
  openSocket: typeof openSocket
  requestJson: typeof requestJson
  requestBytes: typeof requestBytes
}

/** Everything the connector takes from its surroundings; the rest is configuration or comes signed. */
export interface ConnectorDeps {
  readonly clock: Clock
  readonly random: (n: number) => Uint8Array
  readonly log: Log
  readonly suite: Suite
  readonly net: Net
  /** Runs something once, later, unless disposed. */
  readonly after: (ms: number, run: () => void) => Disposable
  /** Runs something again and again until disposed. */
  readonly every: (ms: number, run: () => void) => Disposable
  /** The MCP client, when it speaks over stdio. Nothing but protocol is ever written to `output`. */
  readonly stdio: { readonly input: Readable; readonly output: Writable }
  /** Shown every receipt that proved a result, e.g. to `postern call`. */
  readonly onReceipt?: (receipt: Receipt, token: string) => void
}

export function systemDeps(log: Log = createLog('connector')): ConnectorDeps {
  return {
    clock: systemClock,
    random: randomBlock(),
    log,
    suite: native,
    net: { openSocket, requestJson, requestBytes },
    after(ms, run) {
      const timer = setTimeout(run, ms)
      return { [Symbol.dispose]: () => clearTimeout(timer) }
    },
    every(ms, run) {
      const timer = setInterval(run, ms)
      return { [Symbol.dispose]: () => clearInterval(timer) }
    },
    stdio: { input: process.stdin, output: process.stdout },
  }
}

/** Small draws (salts, ids) come out of one block at a time: each byte is given out once, copied, and wiped here. */
function randomBlock(size = 4096): (n: number) => Uint8Array {
  let block = new Uint8Array(0)
  let at = 0
  return (n) => {
    if (n > 64) return new Uint8Array(randomBytes(n))
    if (at + n > block.length) {
      block = new Uint8Array(randomBytes(size))
      at = 0
    }
    const drawn = block.slice(at, at + n)
    block.fill(0, at, at + n)
    at += n
    return drawn
  }
}
