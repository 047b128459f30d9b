import type { ControlClient, EdgeSurroundings } from '@postern/core'
import { createControlClient } from '@postern/core'
import type { Device } from './device/device.ts'
import type { Passkeys } from './keys/passkeys.ts'
import type { Page } from './page/page.ts'

/** What every screen is given. */
export interface App {
  readonly page: Page
  readonly device: Device
  readonly around: EdgeSurroundings
  readonly passkeys: Passkeys
  /** Origin of this page, and its host name: the relying party of what is made here. */
  readonly origin: string
  readonly hostname: string
  /** Origins of the control plane that this page was served for. Empty: the server did not say. */
  readonly consoles: readonly string[]
  now(): number
  navigate(url: string): void
}

export const clientOf = ({ around }: App, control: string): ControlClient => createControlClient(control, undefined, around)

/** A trial on one machine: its passkeys work nowhere else. */
export const isTrial = ({ hostname }: Pick<App, 'hostname'>): boolean => hostname === 'localhost' || hostname.endsWith('.localhost')
