const MAX_LENGTH = 4096
const ASCII = /^[\x20-\x7e]*$/
/** Controls, invisible and bidirectional formatting: readers drop or reorder them, so two texts become one path. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u

/**
 * Whether a path means the same to every reader: `/` between segments and nothing else that separates, climbs or decodes. No
 * `.` or `..`, no empty segment (so none at the end, but `/` alone is the root), no backslash, percent sign or control, no
 * segment ending in a dot or a space (Windows drops them), NFC, and nothing that compatibility folding turns into any of these.
 * Says nothing about symbolic links or about letter case: only the server's file system knows those.
 * @see packages/core/spec/policy.md §5.6
 */
export function isNormalPath(path: string): boolean {
  if (path === '' || path.length > MAX_LENGTH) return false
  if (!hasNormalSegments(path)) return false
  if (ASCII.test(path)) return true
  if (INVISIBLE.test(path) || path.normalize('NFC') !== path) return false
  const folded = path.normalize('NFKC')
  return hasNormalSegments(folded) && folded.split('/').length === path.split('/').length
}

function hasNormalSegments(path: string): boolean {
  if (path === '/') return true
  if (path.includes('\\') || path.includes('%') || path.includes('\0')) return false
  const segments = path.split('/')
  // A leading slash makes an empty first segment, which is the root.
  return segments.every((segment, i) =>
    segment === '' ? i === 0 && segments.length > 1 : !segment.endsWith('.') && !segment.endsWith(' '),
  )
}

/** Whether `path` is `root` or below it, by whole segments. Both must be normal: see `isNormalPath`. */
export const isWithin = (root: string, path: string): boolean => root === path || path.startsWith(root.endsWith('/') ? root : `${root}/`)
