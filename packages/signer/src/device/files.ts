import type { EdgeFiles } from '@postern/core'
import { concatBytes, utf8 } from '@postern/core'
import type { Store } from './store.ts'

/** The files of one organisation's authority log, kept in the store: the same ones that the CLI has on disk. */
export function filesIn(store: Store, org: string): EdgeFiles {
  const keyOf = (name: string) => `log/${org}/${name}`
  const read = (name: string) => store.get<Uint8Array>(keyOf(name))
  const write = (name: string, bytes: Uint8Array | string) => store.set(keyOf(name), typeof bytes === 'string' ? utf8(bytes) : bytes)
  return {
    read,
    readPrivate: read,
    write,
    async openAppend(name, { truncateTo }) {
      const found = (await read(name)) ?? new Uint8Array(0)
      let bytes = found.subarray(0, truncateTo)
      return {
        async appendDurably(record) {
          bytes = concatBytes(bytes, utf8(record))
          await write(name, bytes)
        },
        close: async () => {},
      }
    },
  }
}
