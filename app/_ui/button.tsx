import type { ComponentProps } from 'react'

const LOOKS = {
  plain: 'border-line-strong bg-surface text-ink hover:bg-sunken',
  primary: 'border-transparent bg-accent text-on-accent hover:bg-accent-hover',
  danger: 'border-danger bg-surface text-danger hover:bg-danger-soft',
  quiet: 'border-transparent bg-transparent text-ink hover:bg-sunken',
} as const
export type Look = keyof typeof LOOKS

/** How every button and every link that acts like one looks. 44 px high for fingers, 32 px for a mouse. */
export const buttonClass = (look: Look = 'plain', more = ''): string =>
  `inline-flex min-h-11 items-center justify-center gap-1.5 rounded-md border px-3 text-sm font-medium whitespace-nowrap transition-colors sm:min-h-8 disabled:cursor-not-allowed disabled:border-line disabled:bg-sunken disabled:text-muted ${LOOKS[look]} ${more}`

type Props = ComponentProps<'button'> & { readonly look?: Look }
export const Button = ({ look = 'plain', className = '', type = 'button', ...rest }: Props) => (
  <button {...rest} type={type} className={buttonClass(look, className)} />
)
