const MINUTE = 60
const HOUR = 3_600
const DAY = 86_400

const twoDigits = (n: number): string => `${n}`.padStart(2, '0')

/** `2026-11-20 10:57 UTC`, with seconds when there are any. The same on every machine: no locale, no time zone. */
export function utcText(seconds: number): string {
  const { year, month, day } = civilDay(Math.floor(seconds / DAY))
  const rest = seconds - Math.floor(seconds / DAY) * DAY
  const clock = [Math.floor(rest / HOUR), Math.floor((rest % HOUR) / MINUTE), ...(rest % MINUTE === 0 ? [] : [rest % MINUTE])]
  return `${`${year}`.padStart(4, '0')}-${twoDigits(month)}-${twoDigits(day)} ${clock.map(twoDigits).join(':')} UTC`
}

/** Proleptic Gregorian date of a day number (0 = 1970-01-01): Howard Hinnant's `civil_from_days`, years from 1 March. */
function civilDay(days: number) {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
  }
}

/** `30 days`, `1 day and 2 hours`, `90 seconds`: exact, in at most all four units. */
export function durationText(seconds: number): string {
  const parts = [
    [Math.floor(seconds / DAY), 'day'],
    [Math.floor((seconds % DAY) / HOUR), 'hour'],
    [Math.floor((seconds % HOUR) / MINUTE), 'minute'],
    [seconds % MINUTE, 'second'],
  ] as const
  const shown = parts.filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}${n === 1 ? '' : 's'}`)
  if (shown.length === 0) return '0 seconds'
  const last = shown.pop()!
  return shown.length === 0 ? last : `${shown.join(', ')} and ${last}`
}
