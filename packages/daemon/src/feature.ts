/** A part of a process that may be switched off. Whoever meets it disabled can say why. */
export type Feature<T> = { readonly enabled: true; readonly value: T } | { readonly enabled: false; readonly reason: string }

export const enabled = <T>(value: T): Feature<T> => ({ enabled: true, value })
export const disabled = (reason: string): Feature<never> => ({ enabled: false, reason })
