/** Pages of the console by the names that people type. */
export const CONSOLE_PAGES = ['inbox', 'fleet', 'policies', 'grants', 'calls', 'people', 'codes', 'settings'] as const
