/** Of the header `Server-Timing: consoles;desc="…"`: the one header of its own answer that a page can read. */
const NAME = 'consoles'

/**
 * Origins of the control plane that this page was served for. The files are the same bytes everywhere, and their hashes are published;
 * what differs stands in the headers. Another origin than these could not be reached anyway: see connect-src there.
 */
export function consolesOf(): readonly string[] {
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
  const told = navigation?.serverTiming.find(({ name }) => name === NAME)?.description ?? ''
  return readOrigins(told)
}

export const readOrigins = (text: string): readonly string[] =>
  text.split(' ').filter((part) => {
    try {
      return new URL(part).origin === part
    } catch {
      return false
    }
  })
