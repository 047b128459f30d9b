// @postern/connector: what the CLI and tests use.
export type { ConnectorConfig } from './config.ts'
export { readConnectorConfig } from './config.ts'
export type { ConnectorDeps, Net } from './deps.ts'
export { systemDeps } from './deps.ts'
export type { ConnectorErrorCode } from './errors.ts'
export { ConnectorError } from './errors.ts'
export type { RunningConnector } from './start.ts'
export { start } from './start.ts'
