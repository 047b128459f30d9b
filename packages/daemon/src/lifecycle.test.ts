import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Disposers } from './lifecycle.ts'

/** A process whose `start` has this body; its log comes back line by line. */
function run(body: string): {
  child: ChildProcessWithoutNullStreams
  ended: Promise<{ code: number; said: string }>
  ready: Promise<unknown>
} {
  const source = `
    import { runMain, OperationError } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))}
    await runMain('sample', async ({ log, signal }) => { ${body} })`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', source])
  let said = ''
  const ready = new Promise((resolve) =>
    child.stderr.on('data', (chunk) => {
      said += chunk
      if (said.includes('up and running')) resolve(said)
    }),
  )
  return { child, ready, ended: once(child, 'close').then(([code]) => ({ code, said })) }
}
const RUNS_ON = `const timer = setInterval(() => {}, 1000); return { ready: 'up and running', close: async () => { log.info('closing'); clearInterval(timer) } }`

describe('a process', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('closes on %s and exits with %i', async (signal, code) => {
    const { child, ready, ended } = run(RUNS_ON)
    await ready
    child.kill(signal)
    expect(await ended).toMatchObject({ code, said: expect.stringContaining('closing') })
  })

  test('exits at once on a second signal', async () => {
    const { child, ready, ended } = run(
      `setInterval(() => {}, 1000); return { ready: 'up and running', close: () => { console.log('stuck'); return new Promise(() => {}) } }`,
    )
    await ready
    child.kill('SIGTERM')
    await once(child.stdout, 'data')
    child.kill('SIGINT')
    expect((await ended).code).toBe(130)
  })

  test('that is told to stop while it starts closes what it started', async () => {
    const { child, ended } = run(
      `console.log('starting'); await new Promise((resolve) => { const t = setInterval(() => {}, 1000); signal.addEventListener('abort', () => { clearInterval(t); resolve(undefined) }) }); ${RUNS_ON}`,
    )
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 143, said: expect.stringContaining('closing') })
  })

  test('that cannot start says why and what to do, without a stack', async () => {
    const { code, said } = await run(`throw new OperationError('PORT_TAKEN', 'port 1 is taken', { fix: 'choose another' })`).ended
    expect(code).toBe(1)
    expect(said).toMatch(/PORT_TAKEN.*choose another.*could not start: port 1 is taken/)
    expect(said).not.toContain('lifecycle.ts')
  })

  test('that ends by itself exits with 0, and with 1 when it failed', async () => {
    const ends = (how: string) => run(`return { ready: 'r', ended: ${how}, close: async () => { log.info('closing') } }`).ended
    expect(await ends('Promise.resolve()')).toMatchObject({ code: 0, said: expect.stringContaining('closing') })
    const failed = await ends(`Promise.reject(new OperationError('STORAGE_FAILED', 'disk gone'))`)
    expect(failed).toMatchObject({ code: 1, said: expect.stringMatching(/disk gone.*closing/s) })
  })

  test.each([
    ['error', `setTimeout(() => { throw new Error('oops') }, 1)`],
    ['rejection', `setTimeout(() => void Promise.reject(new Error('oops')), 1)`],
  ])('closes after an uncaught %s, which is logged with its stack, and exits with 1', async (_, trouble) => {
    const { code, said } = await run(`${trouble}; ${RUNS_ON}`).ended
    expect(code).toBe(1)
    expect(said).toMatch(/"err":\{[^}]*oops[^}]*stack.*closing/s)
  })

  test('whose close fails says so and still exits as told', async () => {
    const { child, ready, ended } = run(
      `const t = setInterval(() => {}, 1000); return { ready: 'up and running', close: async () => { throw new Error('cannot') } }`,
    )
    await ready
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 143, said: expect.stringContaining('closing failed') })
  })
})

describe('disposers', () => {
  test('run in reverse order, all of them, and the first failure is thrown at the end', async () => {
    const order: string[] = []
    const disposers = new Disposers()
    disposers.add(() => order.push('first'))
    disposers.add(() => Promise.reject(new Error('second failed')))
    disposers.use({ [Symbol.dispose]: () => void order.push('third') })
    disposers.use({ [Symbol.asyncDispose]: async () => void order.push('fourth') })
    await expect(disposers.dispose()).rejects.toThrow('second failed')
    expect(order).toEqual(['fourth', 'third', 'first'])
    await disposers.dispose()
    expect(order).toHaveLength(3)
  })
})
