import type { ComponentProps, ReactNode } from 'react'
import { useId } from 'react'

export const inputClass =
  'min-h-11 w-full rounded-md border border-line-strong bg-surface px-3 text-base sm:min-h-8 sm:text-sm aria-invalid:border-danger disabled:bg-sunken disabled:text-muted'

interface FieldProps {
  readonly label: string
  readonly hint?: ReactNode
  readonly error?: string | undefined
  readonly children: (ids: { id: string; 'aria-describedby': string | undefined; 'aria-invalid': true | undefined }) => ReactNode
}

/** A labelled control with its hint below and its error beside it, tied together for screen readers. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId()
  const describedBy = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children({ id, 'aria-describedby': describedBy, 'aria-invalid': error ? true : undefined })}
      {hint && (
        <p id={`${id}-hint`} className="text-xs text-muted">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} role="alert" className="text-xs font-medium text-danger">
          {error}
        </p>
      )}
    </div>
  )
}

type TextProps = Omit<ComponentProps<'input'>, 'id'> & Omit<FieldProps, 'children'>
export const TextField = ({ label, hint, error, className = '', ...input }: TextProps) => (
  <Field label={label} hint={hint} error={error}>
    {(ids) => <input {...input} {...ids} className={`${inputClass} ${className}`} />}
  </Field>
)

type SelectProps = Omit<ComponentProps<'select'>, 'id'> & Omit<FieldProps, 'children'>
export const SelectField = ({ label, hint, error, className = '', children, ...select }: SelectProps & { children: ReactNode }) => (
  <Field label={label} hint={hint} error={error}>
    {(ids) => (
      <select {...select} {...ids} className={`${inputClass} ${className}`}>
        {children}
      </select>
    )}
  </Field>
)
