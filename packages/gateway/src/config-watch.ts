import { watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Log } from '@postern/daemon'
import { makePrivateDirectory } from '@postern/daemon'
import type { GatewayConfig, GatewayFile } from './config.ts'
import { readGatewayFile } from './config.ts'

/** The configuration file as it is now: `postern server add` counts without a restart. A file that does not read changes nothing. */
export interface WatchedConfig extends Disposable {
  readonly file: GatewayFile
}

export async function watchConfig(config: GatewayConfig, onChange: () => void, log: Log): Promise<WatchedConfig> {
  let file: GatewayFile = config
  const reload = async () => {
    try {
      const next = await readGatewayFile(config.path)
      if (JSON.stringify(next) === JSON.stringify(pick(file))) return
      file = next
      log.info({ servers: Object.keys(next.servers).length }, 'configuration was read again')
      onChange()
    } catch (error) {
      log.error(
        { code: (error as { code?: string }).code, why: (error as Error).message },
        'the changed configuration cannot be used; the old one stays',
      )
    }
  }
  await makePrivateDirectory(dirname(config.path))
  const watcher = watch(dirname(config.path), { persistent: false }, (_, name) => {
    if (name === null || name === basename(config.path)) void reload()
  })
  watcher.on('error', () => {})
  return {
    get file() {
      return file
    },
    [Symbol.dispose]: () => watcher.close(),
  }
}

const pick = ({ control, relays, servers, limits, journal }: GatewayFile): GatewayFile => ({
  ...(control === undefined ? {} : { control }),
  ...(relays === undefined ? {} : { relays }),
  ...{ servers, limits, journal },
})
