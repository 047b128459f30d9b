import { readConfig } from '@postern/daemon'
import { z } from 'zod'

const schema = z.strictObject({
  /** Wrong: nothing can be founded. */
  control: z.url({ protocol: /^https?$/ }),
  /** Wrong: visitors are led to a page that is not there. */
  signer: z.url({ protocol: /^https?$/ }),
  /** Where the keys of all who play are kept. Another one than at the founding: the demo does not start. */
  data: z.string().min(1),
  /** More of them: a livelier list, and seconds more at the first start. */
  agents: z.coerce.number().int().min(13).max(1_000).default(60),
})

/** From `POSTERN_DEMO_…`, which `postern up --seed-demo` sets. @throws {OperationError} CONFIG_INVALID */
export function readDemoConfig(environment: Readonly<Record<string, string | undefined>> = process.env): z.output<typeof schema> {
  const given = Object.fromEntries(
    Object.keys(schema.shape).flatMap((name) => {
      const value = environment[`POSTERN_DEMO_${name.toUpperCase()}`]
      return value === undefined ? [] : [[name, value]]
    }),
  )
  return readConfig(schema, given, (option) => `POSTERN_DEMO_${option.toUpperCase()}`)
}
