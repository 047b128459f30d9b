import { expect, test } from 'vitest'
import { createStdioOpener } from './stdio.ts'
import { upstreamConformance } from './upstream.conformance.ts'
import type { ServerCommand } from './upstream.ts'

const node = (script: string, environment: Record<string, string> = {}): ServerCommand => ({
  command: process.execPath,
  args: ['-e', script],
  environment,
})
const echo = 'process.stdin.pipe(process.stdout)'

upstreamConformance('stdio', createStdioOpener(), {
  echo: node(echo),
  dying: node('process.stdin.once("data", () => process.exit(3))'),
  missing: { command: '/nonexistent/server', args: [], environment: {} },
})

/** Runs a child until it wrote one line, and closes it. */
async function firstLine(server: ServerCommand, options: Parameters<typeof createStdioOpener>[0] = {}): Promise<string> {
  const line = Promise.withResolvers<string>()
  const upstream = createStdioOpener(options)(server, {
    onMessage: (message) => line.resolve(message.toString()),
    onClosed: (reason) => line.reject(new Error(reason)),
  })
  const first = await line.promise
  await upstream.close()
  return first
}

test('the child sees exactly the environment it was given', async () => {
  const seen = await firstLine(node('console.log(JSON.stringify(process.env))', { PATH: '/bin', API_KEY: 'k' }))
  expect(JSON.parse(seen)).toEqual({ PATH: '/bin', API_KEY: 'k' })
})

test('no shell reads the command', async () => {
  const seen = await firstLine({ command: process.execPath, args: ['-e', 'console.log(process.argv[1])', '$(id); `id`'], environment: {} })
  expect(seen).toBe('$(id); `id`')
})

test('a command that no system could start is reported, not thrown', async () => {
  const closed = Promise.withResolvers<string>()
  const upstream = createStdioOpener()({ command: 'a\0b', args: [], environment: {} }, { onMessage: () => {}, onClosed: closed.resolve })
  expect(await closed.promise).toMatch(/could not be started/)
  expect(upstream.send('{}')).toBe(false)
})

test('what the child says on stderr is reported as a size only', async () => {
  const sizes: number[] = []
  const script = 'process.stderr.write("secret!", () => process.stdin.pipe(process.stdout))'
  const done = Promise.withResolvers<void>()
  const upstream = createStdioOpener({
    onStderr: (bytes) => {
      sizes.push(bytes)
      done.resolve()
    },
  })(node(script), { onMessage: () => {}, onClosed: () => {} })
  await done.promise
  await upstream.close()
  expect(sizes).toEqual([7])
})

test('a line beyond the bound is dropped whole, and the next one is read', async () => {
  let tooLong = 0
  const script = 'process.stdout.write("x".repeat(11 * 1024 * 1024) + "\\n{}\\n", () => process.stdin.resume())'
  expect(await firstLine(node(script), { onTooLong: () => tooLong++ })).toBe('{}')
  expect(tooLong).toBe(1)
})

test('a child that ignores the end of its input and SIGTERM is killed', { timeout: 15_000 }, async () => {
  const script = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("ready")'
  const line = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<string>()
  const upstream = createStdioOpener()(node(script), { onMessage: () => line.resolve(), onClosed: closed.resolve })
  await line.promise
  await upstream.close()
  expect(await closed.promise).toBe('ended by SIGKILL')
})

test('a child that does not read is not queued for without bound', async () => {
  const upstream = createStdioOpener()(node('setInterval(() => {}, 1000)'), { onMessage: () => {}, onClosed: () => {} })
  const big = 'x'.repeat(4 * 1024 * 1024)
  const sent = Array.from({ length: 8 }, () => upstream.send(big))
  expect(sent[0]).toBe(true)
  expect(sent.at(-1)).toBe(false)
  await upstream.close()
})
