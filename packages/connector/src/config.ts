import { isAbsolute } from 'node:path'
import type { Environment } from '@postern/daemon'
import { fromEnvironment, places, readConfig, variableOf } from '@postern/daemon'
import { z } from 'zod'

const url = (protocol: RegExp) => z.url({ protocol })
const path = z.string().refine(isAbsolute, 'is not an absolute path')
const list = z
  .string()
  .transform((text) => text.split(',').flatMap((part) => part.trim() || []))
  .pipe(z.array(url(/^wss?$/)).max(4))

/** Variables are `POSTERN_CONNECTOR_<OPTION>`, flags `--<option>`; a flag wins. */
const schema = z.strictObject({
  /** atSign of the agent whose keys are on this machine. Wrong: it does not start. */
  agent: z.string().regex(/^@[a-z0-9][a-z0-9_-]{0,54}$/, 'is not an atSign'),
  /** The one MCP server behind this endpoint, by its name in the authority log. Wrong: every request is refused with SERVER_UNKNOWN. */
  server: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'is not a server name'),
  /** Port for Streamable HTTP on 127.0.0.1 instead of stdio; 0 takes a free one. If it is taken, the connector does not start. */
  http: z.coerce.number().int().min(0).max(65_535).optional(),
  /** File with the token that HTTP clients must show; made, 0600, when it is missing. Default: `http-token` beside the agent's keys. */
  tokenFile: path.optional(),
  /** Join string: enrols the agent at its first start; later starts ignore it. Wrong: the client says that the code counts no more. */
  join: z
    .string()
    .regex(/^https?:\/\/[^#\s]+#[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{4,64}$/, 'is not a join string')
    .optional(),
  /** With a join string: the person the agent shall act for. Whoever approves decides. */
  owner: z
    .string()
    .regex(/^@[a-z0-9][a-z0-9_-]{0,54}$/, 'is not an atSign')
    .optional(),
  /** File with a grant; then no other is ever asked for. Expired or for other tools: calls are refused. */
  grant: path.optional(),
  /** Relays to dial, instead of those that the control plane names; separated by commas. Wrong: nothing is reached. */
  relays: list.optional(),
  /** Instead of the address in the join string, when the control plane has moved. Wrong: the authority log does not grow here. */
  control: url(/^https?$/).optional(),
  /** How long a request waits for the gateway before it is refused. Longer: clients give up first, and nobody tells them why. */
  waitSeconds: z.coerce.number().min(1).max(120).default(10),
  /**
   * How long a call waits for a person to approve it, when its client has not asked for progress; then the client is told to ask again. Longer
   * than the client's own patience (often 60 s): it cancels, and with it the request to the approvers.
   */
  approvalWaitSeconds: z.coerce.number().min(1).max(900).default(50),
})

export interface ConnectorConfig extends Readonly<z.output<typeof schema>> {
  /** Parent of `agent/<atsign>/`. */
  readonly stateRoot: string
  /** Directory of the health socket; undefined: beside the state. */
  readonly runtimeRoot: string | undefined
}

const prefix = 'POSTERN_CONNECTOR_'

/**
 * @param flags Options given on the command line, by their names.
 * @throws {OperationError} CONFIG_INVALID, naming everything that is wrong
 */
export function readConnectorConfig(
  flags: Readonly<Record<string, string | undefined>>,
  environment: Environment = process.env,
): ConnectorConfig {
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined))
  const nameOf = (option: string) => `--${option.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} (or ${variableOf(prefix)(option)})`
  const options = readConfig(schema, { ...fromEnvironment(prefix, environment), ...given }, nameOf)
  const at = places(environment)
  return { ...options, stateRoot: at.state, runtimeRoot: at.runtime }
}
