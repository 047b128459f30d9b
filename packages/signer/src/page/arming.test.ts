import { expect, test } from 'vitest'
import type { Attention } from './arming.ts'
import { ARMING_MS, watchArming } from './arming.ts'

function world() {
  let isThere = true
  let changed = () => {}
  let timer: { ms: number; run: () => void } | undefined
  const attention: Attention = {
    isThere: () => isThere,
    watch(callback) {
      changed = callback
      return () => {
        changed = () => {}
      }
    },
    after(ms, run) {
      timer = { ms, run }
      return () => {
        timer = undefined
      }
    },
  }
  return {
    attention,
    look(next: boolean) {
      isThere = next
      changed()
    },
    pass() {
      const due = timer
      timer = undefined
      due?.run()
    },
    waitsMs: () => timer?.ms,
  }
}

test('a button is armed after 800 ms in front of a person, and not before', () => {
  const { attention, pass, waitsMs } = world()
  const said: boolean[] = []
  const arming = watchArming(
    attention,
    () => true,
    (isArmed) => said.push(isArmed),
  )
  expect([arming.isArmed(), waitsMs(), ARMING_MS]).toEqual([false, 800, 800])
  pass()
  expect([arming.isArmed(), said]).toEqual([true, [true]])
})

test('losing the focus disarms it, and coming back takes the whole time again', () => {
  const { attention, pass, look, waitsMs } = world()
  const arming = watchArming(
    attention,
    () => true,
    () => {},
  )
  pass()
  look(false)
  expect([arming.isArmed(), waitsMs()]).toEqual([false, undefined])
  look(true)
  expect([arming.isArmed(), waitsMs()]).toEqual([false, 800])
  pass()
  expect(arming.isArmed()).toBe(true)
})

test('a page that was left during the time is not armed at its end', () => {
  const { attention, pass, look } = world()
  const arming = watchArming(
    attention,
    () => true,
    () => {},
  )
  look(false)
  pass()
  expect(arming.isArmed()).toBe(false)
})

test('a closed gate keeps it from arming, and closing one disarms it', () => {
  const { attention, pass, waitsMs } = world()
  let isOpen = false
  const arming = watchArming(
    attention,
    () => isOpen,
    () => {},
  )
  expect(waitsMs()).toBeUndefined()
  isOpen = true
  arming.look()
  pass()
  expect(arming.isArmed()).toBe(true)
  isOpen = false
  expect(arming.isArmed()).toBe(false)
})

test('stopped, it is never armed again', () => {
  const { attention, pass, look } = world()
  const arming = watchArming(
    attention,
    () => true,
    () => {},
  )
  arming.stop()
  look(true)
  pass()
  expect(arming.isArmed()).toBe(false)
})
