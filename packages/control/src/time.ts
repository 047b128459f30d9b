// The database keeps timestamps with time zone, everything else Unix seconds.
export const dateOf = (unixSeconds: number): Date => new Date(unixSeconds * 1000)
export const secondsOf = (date: Date): number => Math.floor(date.getTime() / 1000)
