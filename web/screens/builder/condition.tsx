import { useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { inputLook } from '../../parts/labelled.tsx';
import { AreaField } from './fields.tsx';
import { isRecord, textOf } from './form.ts';

/** One test, that holds or does not. */
interface Test {
  not: boolean;
  kind: string;
  value: string;
}
/** All or one of some tests. What is nested deeper is written as it stands in a file. */
interface Tests {
  join: 'all' | 'any';
  tests: Test[];
}

const kinds = [
  { value: 'converted', name: 'has bought' },
  { value: 'opened', name: 'has opened' },
  { value: 'clicked', name: 'has clicked' },
  { value: 'replied', name: 'has replied' },
  { value: 'segment', name: 'is among' },
  { value: 'stage', name: 'has been silent for' },
  { value: 'value.atLeast', name: 'it is worth at least' },
  { value: 'value.below', name: 'it is worth less than' },
  { value: 'stock.below', name: 'fewer units are left than' },
  { value: 'attribute', name: 'attribute' },
  { value: 'arm', name: 'is in the course' },
] as const;
const segments = ['FIRST_TIME', 'RETURNING', 'HIGH_VALUE', 'LOW_STOCK'];
const stages = ['none', '24h', '3d', '7d', '14d', '30d'];

function readTest(given: unknown): Test | null {
  if (given === 'converted' || given === 'replied') return { not: false, kind: given, value: '' };
  if (!isRecord(given)) return null;
  const [[name, value] = ['', null], ...more] = Object.entries(given);
  if (more.length > 0) return null;
  if (name === 'not') {
    const inner = readTest(value);
    return inner === null || inner.not ? null : { ...inner, not: true };
  }
  if (['opened', 'clicked', 'replied', 'segment', 'stage', 'arm'].includes(name) && typeof value === 'string')
    return { not: false, kind: name, value };
  if ((name === 'value' || name === 'stock') && isRecord(value)) {
    const [[bound, limit] = ['', null], ...others] = Object.entries(value);
    const kind = `${name}.${bound}`;
    return others.length === 0 && kinds.some((one) => one.value === kind) ? { not: false, kind, value: textOf(limit) } : null;
  }
  if (name === 'attribute' && isRecord(value) && Array.isArray(value['is']) && Object.keys(value).length === 2)
    return { not: false, kind: 'attribute', value: `${textOf(value['name'])} = ${value['is'].map(textOf).join(', ')}` };
  return null;
}

function writeTest({ not, kind, value }: Test): unknown {
  const [name = '', bound] = kind.split('.');
  const plain =
    kind === 'converted' || (kind === 'replied' && value === '')
      ? kind
      : kind === 'attribute'
        ? { attribute: { name: value.split('=')[0]?.trim() ?? '', is: (value.split('=')[1] ?? '').split(',').map((one) => one.trim()) } }
        : { [name]: bound === undefined ? value : { [bound]: Number.isFinite(Number(value)) && value.trim() !== '' ? Number(value) : value } };
  return not ? { not: plain } : plain;
}

function readTests(given: unknown): Tests | null {
  if (given === undefined) return { join: 'all', tests: [] };
  const join =
    isRecord(given) && Object.keys(given).length === 1 ? (Array.isArray(given['all']) ? 'all' : Array.isArray(given['any']) ? 'any' : null) : null;
  const list: unknown[] = join === null || !isRecord(given) ? [given] : (given[join] as unknown[]);
  const tests = list.map(readTest);
  const known = tests.filter((one) => one !== null);
  return known.length === tests.length ? { join: join ?? 'all', tests: known } : null;
}

const writeTests = ({ join, tests }: Tests): unknown =>
  tests.length === 0 ? undefined : tests.length === 1 && tests[0] !== undefined ? writeTest(tests[0]) : { [join]: tests.map(writeTest) };

/** For whom a step is. */
export function ConditionField({
  value,
  onChange,
  earlier,
  attributes,
  faults,
  disabled,
}: {
  value: unknown;
  onChange: (value: unknown) => void;
  /** The ids of the steps before it. */
  earlier: readonly string[];
  attributes: readonly string[];
  faults: readonly string[];
  disabled: boolean;
}) {
  const known = readTests(value);
  if (known === null) return <WrittenCondition value={value} onChange={onChange} faults={faults} disabled={disabled} />;
  const set = (tests: Test[], join = known.join) => onChange(writeTests({ join, tests }));
  const change = (index: number, one: Partial<Test>) => set(known.tests.map((test, at) => (at === index ? { ...test, ...one } : test)));
  return (
    <fieldset className="min-w-0 space-y-2 text-[0.8125rem]">
      <legend className="mb-1 font-medium">Only where</legend>
      {known.tests.length === 0 && <p className="text-soft">It goes out to everybody who is still in the sequence.</p>}
      {known.tests.map((test, index) => (
        // Tests have no name but their place.
        <div key={index} className="flex flex-wrap items-center gap-2">
          {index > 0 && (
            <select
              aria-label="How these belong together"
              className={`${inputLook} w-auto!`}
              value={known.join}
              disabled={disabled}
              onChange={(event) => set(known.tests, event.target.value === 'any' ? 'any' : 'all')}
            >
              <option value="all">and</option>
              <option value="any">or</option>
            </select>
          )}
          <select
            aria-label={`Condition ${index + 1}: whether`}
            className={`${inputLook} w-auto!`}
            value={test.not ? 'not' : 'is'}
            disabled={disabled}
            onChange={(event) => change(index, { not: event.target.value === 'not' })}
          >
            <option value="is">the person</option>
            <option value="not">not: the person</option>
          </select>
          <select
            aria-label={`Condition ${index + 1}: what`}
            className={`${inputLook} w-auto!`}
            value={test.kind}
            disabled={disabled}
            onChange={(event) => change(index, { kind: event.target.value, value: firstValue(event.target.value, earlier, attributes) })}
          >
            {kinds.map((kind) => (
              <option key={kind.value} value={kind.value}>
                {kind.name}
              </option>
            ))}
          </select>
          <ValueOf
            test={test}
            label={`Condition ${index + 1}: value`}
            earlier={earlier}
            disabled={disabled}
            onChange={(next) => change(index, { value: next })}
          />
          {!disabled && (
            <Button look="quiet" onClick={() => set(known.tests.filter((_, at) => at !== index))}>
              Remove<span className="sr-only"> condition {index + 1}</span>
            </Button>
          )}
        </div>
      ))}
      {faults.map((fault) => (
        <p key={fault} className="text-bad">
          It {fault}
        </p>
      ))}
      {!disabled && <Button onClick={() => set([...known.tests, { not: true, kind: 'converted', value: '' }])}>Add a condition</Button>}
    </fieldset>
  );
}

const firstValue = (kind: string, earlier: readonly string[], attributes: readonly string[]): string =>
  ({
    opened: earlier.at(-1) ?? '',
    clicked: earlier.at(-1) ?? '',
    segment: 'RETURNING',
    stage: '7d',
    attribute: `${attributes[0] ?? 'contact.country'} = `,
  })[kind] ?? (kind.includes('.') ? '100' : '');

function ValueOf({
  test: { kind, value },
  label,
  earlier,
  disabled,
  onChange,
}: {
  test: Test;
  label: string;
  earlier: readonly string[];
  disabled: boolean;
  onChange: (value: string) => void;
}) {
  if (kind === 'converted') return null;
  const options = kind === 'segment' ? segments : kind === 'stage' ? stages : ['opened', 'clicked', 'replied'].includes(kind) ? earlier : null;
  if (options === null)
    return (
      <input
        aria-label={label}
        className={`${inputLook} w-44!`}
        value={value}
        readOnly={disabled}
        onChange={(event) => onChange(event.target.value)}
      />
    );
  return (
    <select
      aria-label={label}
      className={`${inputLook} w-auto!`}
      value={value}
      disabled={disabled}
      onChange={(event) => onChange(event.target.value)}
    >
      {kind === 'replied' && <option value="">at all</option>}
      {!options.includes(value) && value !== '' && <option value={value}>{value}</option>}
      {options.map((option) => (
        <option key={option} value={option}>
          {option}
        </option>
      ))}
    </select>
  );
}

/** One that is nested, as it stands in a file. */
function WrittenCondition({
  value,
  onChange,
  faults,
  disabled,
}: {
  value: unknown;
  onChange: (value: unknown) => void;
  faults: readonly string[];
  disabled: boolean;
}) {
  const [text, setText] = useState(() => JSON.stringify(value, null, 1));
  const [broken, setBroken] = useState(false);
  return (
    <AreaField
      label="Only where (as in a file)"
      rows={4}
      mono
      value={text}
      disabled={disabled}
      faults={broken ? ['is no JSON'] : faults}
      onChange={(next) => {
        setText(next);
        try {
          onChange(next.trim() === '' ? undefined : (JSON.parse(next) as unknown));
          setBroken(false);
        } catch {
          setBroken(true);
        }
      }}
    />
  );
}
