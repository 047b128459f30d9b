export { type RelayConfig, readRelayConfig } from './config.ts'
export { type RelayDeps, type RunningRelay, start } from './start.ts'
