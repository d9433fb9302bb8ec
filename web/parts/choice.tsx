/** One of a few, shown side by side. */
export function Choice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: readonly { value: T; name: string }[];
  onChange: (value: T) => void;
}) {
  return (
    <div role="group" aria-label={label} className="inline-flex flex-wrap rounded-md border border-line-strong bg-surface p-0.5">
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onChange(option.value)}
          className="min-h-7 rounded px-2.5 text-[0.8125rem] text-soft hover:text-ink aria-pressed:bg-accent-soft aria-pressed:font-medium aria-pressed:text-accent pointer-coarse:min-h-10"
        >
          {option.name}
        </button>
      ))}
    </div>
  );
}

/** One of many. Options of one `group` follow each other. */
export function Select({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: string;
  options: readonly { value: string; name: string; group?: string }[];
  onChange: (value: string) => void;
}) {
  const groups = [...new Set(options.map(({ group }) => group))];
  return (
    <label className="inline-flex max-w-full min-w-0 flex-wrap items-center gap-x-2 gap-y-1 text-[0.8125rem] text-soft">
      {label}
      <select
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className="min-h-8 max-w-full min-w-0 rounded-md border border-line-strong bg-surface px-2 text-ink pointer-coarse:min-h-11"
      >
        {groups.map((group) => {
          const own = options
            .filter((option) => option.group === group)
            .map(({ value: its, name }) => (
              <option key={its} value={its}>
                {name}
              </option>
            ));
          return group === undefined ? (
            own
          ) : (
            <optgroup key={group} label={group}>
              {own}
            </optgroup>
          );
        })}
      </select>
    </label>
  );
}
