const BAR = 4
const HEIGHT = 16

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
      {values.map((value, at) => {
        const height = Math.max(1, Math.round((value / most) * HEIGHT))
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
          <rect
            key={at}
            x={at * BAR}
            y={HEIGHT - height}
            width={BAR - 1}
            height={height}
            fill="currentColor"
            opacity={value === 0 ? 0.35 : 1}
          />
        )
      })}
    </svg>
  )
}
