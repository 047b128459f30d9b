/** A page of the console. Its name is `shell.nav.<id>` in the messages. */
export interface NavItem {
  readonly id: string
  readonly href: string
  /** The second key after `g`. */
  readonly key: string
  /** In the bar at the bottom of a phone. */
  readonly isOnPhone?: true
}

/**
 * The pages there are, in the groups and with the keys of the design (console.md §7): inbox i, fleet f, policies p, grants r, calls c,
 * people e, codes o, settings s. A new page is a line here.
 */
export const NAV: readonly { readonly group: string; readonly items: readonly NavItem[] }[] = [
  { group: 'now', items: [{ id: 'inbox', href: '/inbox', key: 'i', isOnPhone: true }] },
  { group: 'fleet', items: [{ id: 'fleet', href: '/fleet', key: 'f', isOnPhone: true }] },
  {
    group: 'access',
    items: [
      { id: 'policies', href: '/policies', key: 'p' },
      { id: 'grants', href: '/grants', key: 'r' },
    ],
  },
  { group: 'activity', items: [{ id: 'calls', href: '/calls', key: 'c', isOnPhone: true }] },
  {
    group: 'admin',
    items: [
      { id: 'people', href: '/people', key: 'e' },
      { id: 'codes', href: '/codes', key: 'o' },
      { id: 'settings', href: '/settings', key: 's' },
    ],
  },
]
export const PAGES: readonly NavItem[] = NAV.flatMap(({ items }) => items)
