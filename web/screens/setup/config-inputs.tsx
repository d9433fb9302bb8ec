import { inputLook, lineOf, SecretField, TextField } from '../../parts/labelled.tsx';
import { type ConfigField, configOf, labelOf } from './config-fields.ts';

type Faults = readonly { path: string; message: string }[];

/** What is wrong with a field, of what the API says. */
export const faultAt = (faults: Faults, name: string): string | undefined => faults.find(({ path }) => path.split(/[./]/).includes(name))?.message;

/** The fields of a configuration, those that can be left out folded away. */
export function ConfigInputs({ fields, faults }: { fields: readonly ConfigField[]; faults: Faults }) {
  const [needed, others] = [fields.filter(({ isRequired }) => isRequired), fields.filter(({ isRequired }) => !isRequired)];
  const input = (field: ConfigField) => <ConfigInput key={field.name} field={field} fault={faultAt(faults, field.name)} />;
  return (
    <>
      {needed.map(input)}
      {others.length > 0 && (
        <details open={others.some(({ name }) => faultAt(faults, name) !== undefined) || undefined}>
          <summary className="cursor-pointer text-[0.8125rem] text-soft">What can be left out</summary>
          <div className="mt-3 space-y-4">{others.map(input)}</div>
        </details>
      )}
    </>
  );
}

/** What was entered into `ConfigInputs`. @throws UnreadableFieldError */
export const enteredConfig = (fields: readonly ConfigField[], form: FormData): Record<string, unknown> =>
  configOf(fields, (name) => lineOf(form, `config.${name}`));

function ConfigInput({ field: { name, kind, options, isSecret, isRequired, usual }, fault }: { field: ConfigField; fault: string | undefined }) {
  const hint = fault === undefined ? kind === 'json' ? 'As JSON.' : undefined : <span className="text-bad">It {fault}</span>;
  const common = { name: `config.${name}`, required: isRequired };
  if (kind === 'choice')
    return (
      <label className="block text-[0.8125rem]">
        <span className="mb-1 block font-medium">{labelOf(name)}</span>
        <select {...common} defaultValue={usual} className={inputLook}>
          {!isRequired && <option value="">as usual</option>}
          {options.map((value) => (
            <option key={value} value={value}>
              {value === 'true' ? 'yes' : value === 'false' ? 'no' : value}
            </option>
          ))}
        </select>
        {hint !== undefined && <span className="mt-1 block text-soft">{hint}</span>}
      </label>
    );
  if (kind === 'json')
    return (
      <label className="block text-[0.8125rem]">
        <span className="mb-1 block font-medium">{labelOf(name)}</span>
        <textarea {...common} rows={3} spellCheck={false} className={`${inputLook} font-mono`} />
        <span className="mt-1 block text-soft">{hint}</span>
      </label>
    );
  if (isSecret) return <SecretField {...common} label={labelOf(name)} placeholder={usual} hint={hint} />;
  return (
    <TextField
      {...common}
      label={labelOf(name)}
      type={kind === 'number' ? 'number' : 'text'}
      step="any"
      autoComplete="off"
      placeholder={usual}
      hint={hint}
    />
  );
}
