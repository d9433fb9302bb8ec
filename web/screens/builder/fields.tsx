import { type ReactNode, useId } from 'react';
import { inputLook } from '../../parts/labelled.tsx';
import { spanOf, spanUnits } from './form.ts';

/** What is wrong with a field, said below it. */
function Fault({ id, children }: { id: string; children: readonly string[] }) {
  if (children.length === 0) return null;
  return (
    <span id={id} className="mt-1 block text-bad">
      {children.map((one) => (
        <span key={one} className="block">
          It {one}
        </span>
      ))}
    </span>
  );
}

/** A named field with its faults. @param children - gets what an input needs to be named and described */
export function Field({
  label,
  hint,
  faults = [],
  children,
}: {
  label: string;
  hint?: ReactNode;
  faults?: readonly string[];
  children: (props: { id: string; 'aria-invalid': boolean; 'aria-describedby': string | undefined }) => ReactNode;
}) {
  const id = useId();
  return (
    <div className="min-w-0 text-[0.8125rem]">
      <label htmlFor={id} className="mb-1 block font-medium">
        {label}
      </label>
      {children({ id, 'aria-invalid': faults.length > 0, 'aria-describedby': faults.length > 0 ? `${id}-fault` : undefined })}
      {hint !== undefined && <span className="mt-1 block text-soft">{hint}</span>}
      <Fault id={`${id}-fault`}>{faults}</Fault>
    </div>
  );
}

interface Line {
  label: string;
  value: string;
  onChange: (value: string) => void;
  faults?: readonly string[];
  hint?: ReactNode;
  disabled: boolean;
}

export function LineField({ label, value, onChange, faults, hint, disabled, ...rest }: Line & { placeholder?: string }) {
  return (
    <Field label={label} hint={hint} {...(faults === undefined ? {} : { faults })}>
      {(props) => (
        <input {...props} {...rest} className={inputLook} value={value} readOnly={disabled} onChange={(event) => onChange(event.target.value)} />
      )}
    </Field>
  );
}

export function AreaField({ label, value, onChange, faults, hint, disabled, rows, mono = false }: Line & { rows: number; mono?: boolean }) {
  return (
    <Field label={label} hint={hint} {...(faults === undefined ? {} : { faults })}>
      {(props) => (
        <textarea
          {...props}
          rows={rows}
          spellCheck={!mono}
          className={`${inputLook} resize-y ${mono ? 'font-mono text-[0.8125rem]' : ''}`}
          value={value}
          readOnly={disabled}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

export function SelectField({
  label,
  value,
  options,
  onChange,
  faults,
  hint,
  disabled,
}: Line & { options: readonly { value: string; name: string }[] }) {
  const known = options.some((option) => option.value === value);
  return (
    <Field label={label} hint={hint} {...(faults === undefined ? {} : { faults })}>
      {(props) => (
        <select {...props} className={inputLook} value={value} disabled={disabled} onChange={(event) => onChange(event.target.value)}>
          {!known && <option value={value}>{value === '' ? '–' : value}</option>}
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** A span such as `2h`, as a number and its unit. @param optional - an empty number takes the field away */
export function SpanField({
  label,
  value,
  onChange,
  faults,
  hint,
  disabled,
}: Omit<Line, 'value' | 'onChange'> & { value: unknown; onChange: (value: string | undefined) => void }) {
  const { amount, unit } = spanOf(value);
  const set = (next: string, of: string) => onChange(next === '' ? undefined : `${next}${of}`);
  return (
    <Field label={label} hint={hint} {...(faults === undefined ? {} : { faults })}>
      {(props) => (
        <span className="flex gap-2">
          <input
            {...props}
            inputMode="numeric"
            className={`${inputLook} w-20!`}
            value={amount}
            readOnly={disabled}
            onChange={(event) => set(event.target.value.trim(), unit)}
          />
          <select
            aria-label={`${label}: unit`}
            className={inputLook}
            value={unit}
            disabled={disabled}
            onChange={(event) => set(amount === '' ? '1' : amount, event.target.value)}
          >
            {spanUnits.map((one) => (
              <option key={one.value} value={one.value}>
                {one.name}
              </option>
            ))}
          </select>
        </span>
      )}
    </Field>
  );
}

export function CheckField({
  label,
  checked,
  onChange,
  disabled,
}: {
  label: ReactNode;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled: boolean;
}) {
  return (
    <label className="flex min-h-7 items-center gap-2 text-[0.8125rem] pointer-coarse:min-h-11">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
        className="size-4 accent-accent"
      />
      {label}
    </label>
  );
}
