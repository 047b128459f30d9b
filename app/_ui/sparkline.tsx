const BAR = 4
const HEIGHT = 16

const bar = (share: number, at: number): string => {
  const height = Math.max(1, Math.round(share * HEIGHT))
  return `M${at * BAR} ${HEIGHT - height}h${BAR - 1}v${height}h${1 - BAR}z`
}

/** A row of numbers as bars, each at least a line high, so that silence shows too. The numbers are said in `label`. */
export function Sparkline({ values, label, tone = 'text-accent' }: { values: readonly number[]; label: string; tone?: string }) {
  const most = Math.max(1, ...values)
  return (
    <svg
      role="img"
      aria-label={label}
      width={values.length * BAR}
      height={HEIGHT}
      viewBox={`0 0 ${values.length * BAR} ${HEIGHT}`}
      preserveAspectRatio="none"
      className={`shrink-0 ${tone}`}
    >
      <title>{label}</title>
      <path d={values.map((value, at) => bar(value / most, at)).join('')} fill="currentColor" />
    </svg>
  )
}
