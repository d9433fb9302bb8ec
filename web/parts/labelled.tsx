import { type ComponentProps, type ReactNode, useState } from 'react';

export const inputLook =
  'block w-full min-h-9 rounded-md border border-line-strong bg-surface px-2.5 py-1.5 text-ink placeholder:text-soft pointer-coarse:min-h-11';

export function TextField({ label, hint, ...rest }: ComponentProps<'input'> & { label: string; hint?: ReactNode }) {
  return (
    <label className="block text-[0.8125rem]">
      <span className="mb-1 block font-medium">{label}</span>
      <input {...rest} className={inputLook} />
      {hint !== undefined && <span className="mt-1 block text-soft">{hint}</span>}
    </label>
  );
}

/** What is not to be read over a shoulder, unless whoever types it wants to see it. */
export function SecretField({ label, hint, ...rest }: Omit<ComponentProps<'input'>, 'type'> & { label: string; hint?: ReactNode }) {
  const [shown, setShown] = useState(false);
  return (
    <div>
      <TextField {...rest} label={label} hint={hint} type={shown ? 'text' : 'password'} autoComplete="off" spellCheck={false} />
      <button type="button" aria-pressed={shown} onClick={() => setShown(!shown)} className="mt-1 text-xs text-accent hover:underline">
        {shown ? 'Hide' : 'Show'} what is typed
      </button>
    </div>
  );
}

export function SelectField({
  label,
  options,
  ...rest
}: ComponentProps<'select'> & { label: string; options: readonly { value: string; name: string }[] }) {
  return (
    <label className="block text-[0.8125rem]">
      <span className="mb-1 block font-medium">{label}</span>
      <select {...rest} className={inputLook}>
        {options.map(({ value, name }) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Names and values, one below the other. */
export function Facts({ of: rows }: { of: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[minmax(6rem,auto)_minmax(0,1fr)] gap-x-4 gap-y-1.5">
      {rows.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-soft">{name}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A line that was typed into a form, without what is around it. */
export function lineOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}
