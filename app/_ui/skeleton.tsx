/** Grey lines of the final size. Appears after 180 ms, so that fast answers never flash. */
export const Skeleton = ({ label, lines = 6 }: { label: string; lines?: number }) => (
  <div role="status" aria-label={label} className="flex animate-appear flex-col gap-2">
    {Array.from({ length: lines }, (_, at) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: lines without identity
      <div key={at} className="h-9 rounded bg-sunken" />
    ))}
  </div>
)
