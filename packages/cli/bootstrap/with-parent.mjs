// Loaded into the job before it runs: when the bootstrap is gone (kill -9 included), file descriptor 3 closes, and the job's
// process group is asked to end, then made to. Otherwise `npm start` could leave servers behind that nobody sees.
import { Socket } from 'node:net'

const giveUpMs = 9_000
const parent = new Socket({ fd: 3, readable: true, writable: false })
const signalGroup = (name) => {
  try {
    process.kill(-process.pid, name)
  } catch {
    process.kill(process.pid, name)
  }
}
parent.on('error', () => {})
parent.on('close', () => {
  signalGroup('SIGTERM')
  setTimeout(() => signalGroup('SIGKILL'), giveUpMs).unref()
})
parent.resume()
parent.unref()
