// Child processes of the bootstrap: setup steps, whose output matters only when they fail, and the job, which gets the terminal.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { nestedEnvironment } from '../ensure-node.mjs'

const windows = process.platform === 'win32'
/** Terminal and npm both deliver one Ctrl-C: what comes this soon after is the same one. */
const sameSignalMs = 400
/** npm's shell does not pass signals on: a SIGTERM to npm shows here only as the loss of our parent. */
const parentWatchMs = 250
/** How long a job may take to stop before it is killed; a setup step (npm takes its time) may be killed sooner, it is repeated. */
const stopMs = { job: 9_000, step: 1_500 }

export class Interrupted extends Error {
  constructor(signal) {
    super(signal)
    this.exitCode = 128 + constants.signals[signal]
  }
}

/** The environment of everything we start: our Node and the tools of the repository come first. */
export function environment(node, root) {
  const path = [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].filter(Boolean).join(delimiter)
  return { ...nestedEnvironment(), PATH: path, NEXT_TELEMETRY_DISABLED: '1', TURBO_TELEMETRY_DISABLED: '1', CHECKPOINT_DISABLE: '1' }
}

/** Runs a setup step. Returns its exit code and all it printed; throws `Interrupted` when we were told to stop meanwhile. */
export async function runStep(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  const { code, interruptedBy } = await ended(child, stopMs.step)
  if (interruptedBy) throw new Interrupted(interruptedBy)
  return { code, output }
}

/**
 * Runs the job with our stdin, stdout and stderr and returns its exit code. It is in a session of its own, so that it gets each
 * signal once, from us, whoever else sends it to the whole process group. It ends when we do (with-parent.mjs), and what it leaves
 * behind after an interruption or a crash is ended too. What it leaves behind after a normal end is its own business.
 */
export async function runJob(node, args, root) {
  const withParent = new URL('./with-parent.mjs', import.meta.url).href
  const stdio = ['inherit', 'inherit', 'inherit', 'pipe']
  const child = spawn(node, ['--import', withParent, ...args], { cwd: root, env: environment(node, root), stdio, detached: !windows })
  const { code, signal, interruptedBy } = await ended(child, stopMs.job)
  if (interruptedBy || signal) await endGroup(child.pid)
  if (signal) return 128 + constants.signals[signal]
  return interruptedBy === 'SIGINT' && code === 0 ? 130 : code
}

/** Waits for the child, passing on each signal that we get; a child that does not stop in time is killed with all it started. */
function ended(child, patienceMs) {
  let interruptedBy
  let killer
  let last = { name: '', at: 0 }
  const stop = (name) => {
    interruptedBy ??= name
    child.kill(name)
    killer ??= setTimeout(() => killGroup(child.pid, 'SIGKILL') || child.kill('SIGKILL'), patienceMs)
  }
  const onSignal = (name) => {
    const now = performance.now()
    const isSame = name === last.name && now - last.at < sameSignalMs
    last = { name, at: now }
    if (!isSame) stop(name)
  }
  const parent = process.ppid
  const watch =
    process.env.npm_lifecycle_event &&
    setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(watch)
      if (!interruptedBy) stop('SIGTERM')
    }, parentWatchMs)
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const name of names) process.on(name, onSignal)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on(child.stdout ? 'close' : 'exit', (code, signal) => resolve({ code: code ?? 1, signal, interruptedBy }))
  }).finally(() => {
    clearTimeout(killer)
    clearInterval(watch)
    for (const name of names) process.off(name, onSignal)
  })
}

/** True when there was somebody to signal. */
function killGroup(pid, signal) {
  if (windows || !pid) return false
  try {
    return process.kill(-pid, signal)
  } catch {
    return false
  }
}

async function endGroup(pid) {
  if (!killGroup(pid, 'SIGTERM')) return
  for (let waited = 0; waited < 2_000 && killGroup(pid, 0); waited += 50) await new Promise((resolve) => setTimeout(resolve, 50))
  killGroup(pid, 'SIGKILL')
}
