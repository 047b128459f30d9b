import type { Environment } from '@postern/daemon'
import { fromEnvironment, readConfig, variableOf } from '@postern/daemon'
import { z } from 'zod'

const number = (fallback: number, min: number, max: number) => z.coerce.number().int().min(min).max(max).default(fallback)
const list = z
  .string()
  .default('')
  .transform((text) => text.split(',').flatMap((part) => part.trim().toLowerCase() || []))

/** Variables are `POSTERN_RELAY_<OPTION>`, e.g. `POSTERN_RELAY_MAX_QUEUE_BYTES`. */
const schema = z.strictObject({
  /** TCP port; 0 takes a free one. If it is taken, the relay does not start. */
  port: number(3002, 0, 65_535),
  /** Address to listen on. Other than loopback, put TLS in front: without it anybody on the way sees who talks to whom. */
  host: z.string().min(1).default('127.0.0.1'),
  /**
   * Names, with port, by which peers dial this relay, separated by commas: `relay.example.com`. Default: the loopback names. A peer that
   * dials another name is answered 421; a name that is not ours lets whoever owns it be let in here as its own visitors.
   */
  names: list,
  /** Control plane, asked whom to admit. If it is wrong or away, nobody new is let in. */
  controlUrl: z.url({ protocol: /^https?$/ }).default('http://localhost:3000'),
  /** Bytes that may wait for one peer. Smaller: bursts stall senders sooner. Larger: slow peers cost more memory. */
  maxQueueBytes: number(1 << 20, 128 << 10, 64 << 20),
  /** Connections at once, about 20 kB each while idle. Beyond it new ones are answered 503. */
  maxPeers: number(20_000, 1, 1_000_000),
  /** Each silent peer is probed about this often. Smaller: dead ones go sooner; larger: boxes on the way may forget the connection. */
  idleSeconds: number(45, 30, 600),
})

export type RelayConfig = Readonly<z.infer<typeof schema>>

/** @throws {OperationError} CONFIG_INVALID, naming every variable that is wrong */
export function readRelayConfig(environment?: Environment): RelayConfig {
  const prefix = 'POSTERN_RELAY_'
  return readConfig(schema, fromEnvironment(prefix, environment), variableOf(prefix))
}
