import { useState } from 'react';
import { Panel } from '../../parts/panel.tsx';
import { ConditionField } from './condition.tsx';
import { AreaField, CheckField, LineField, SelectField, SpanField } from './fields.tsx';
import { type Draft, type Faults, type Form, isRecord, spanOf, textOf, withFields } from './form.ts';
import { WindowFields } from './step-editor.tsx';

const stops = [
  { value: 'purchased', name: 'the person buys', always: true },
  { value: 'opted_out', name: 'the person wants no more messages', always: true },
  { value: 'replied', name: 'the person replies', always: false },
  { value: 'contacted', name: 'a colleague has reached them', always: false },
] as const;

const textOfArms = (arms: unknown): string =>
  Array.isArray(arms)
    ? arms.map((arm) => (isRecord(arm) ? [textOf(arm['id']), ...('weight' in arm ? [textOf(arm['weight'])] : [])].join(' ') : textOf(arm))).join(', ')
    : '';

/** `short 2, long` → a list of arms; undefined: there are none. What is wrong with them is said by the API. */
function armsOf(text: string): { id: string; weight?: number }[] | undefined {
  const names = text.split(',').map((name) => name.trim());
  const arms = names
    .filter((name) => name !== '')
    .map((name) => {
      const [, id = name, weight] = /^(.*\S)\s+(\d+(?:\.\d+)?)$/.exec(name) ?? [];
      return weight === undefined ? { id } : { id, weight: Number(weight) };
    });
  return arms.length === 0 ? undefined : arms;
}

/** What holds for the sequence as a whole. */
export function SettingsOfSequence({
  form,
  draft,
  faults,
  disabled,
  onChange,
}: {
  form: Form;
  draft: Draft;
  faults: Faults;
  disabled: boolean;
  onChange: (draft: Draft) => void;
}) {
  const { said } = draft;
  const [arms, setArms] = useState(() => textOfArms(said['arms']));
  const set = (change: Readonly<Record<string, unknown>>) => onChange({ ...draft, said: withFields(said, change) });
  const wrong = (...names: string[]) =>
    faults.flatMap(({ path, message }) => (path[0] !== 'steps' && names.includes(String(path[0])) ? [message] : []));
  const stopOn = Array.isArray(said['stopOn']) ? said['stopOn'].map(textOf) : null;
  const { reentry, goal } = said;
  const cooldown = isRecord(reentry) ? reentry['cooldown'] : null;
  const whole = faults.filter(({ path, text }) => path.length === 0 && text === null);
  return (
    <div className="max-w-3xl space-y-5">
      <Panel title="The sequence">
        <div className="grid gap-4 sm:grid-cols-2">
          <LineField label="Name" value={textOf(said['name'])} onChange={(name) => set({ name })} faults={wrong('name')} disabled={disabled} />
          <LineField
            label="Begins with"
            value={textOf(said['on'])}
            onChange={(on) => set({ on })}
            faults={wrong('on', 'about', 'band')}
            disabled
            hint="It is chosen when a sequence is made."
          />
          <div className="sm:col-span-2">
            <AreaField
              label="What it is for"
              rows={2}
              value={textOf(said['description'])}
              onChange={(text) => set({ description: text === '' ? undefined : text })}
              faults={wrong('description')}
              disabled={disabled}
            />
          </div>
          <SpanField
            label="Must be left alone for"
            hint="Before it counts as abandoned."
            value={said['quietFor']}
            onChange={(quietFor) => set({ quietFor })}
            faults={wrong('quietFor')}
            disabled={disabled}
          />
          <SpanField
            label="Says nothing about what was left longer than"
            value={said['maxAge'] ?? '7d'}
            onChange={(maxAge) => set({ maxAge })}
            faults={wrong('maxAge')}
            disabled={disabled}
          />
          <div className="sm:col-span-2">
            <ConditionField
              value={said['only']}
              onChange={(only) => set({ only })}
              earlier={[]}
              attributes={form.about?.attributes ?? []}
              faults={wrong('only')}
              disabled={disabled}
            />
          </div>
        </div>
      </Panel>
      <Panel title="When it ends" note="At once, and for good.">
        <div className="grid gap-x-6 sm:grid-cols-2">
          {stops.map(({ value, name, always }) => (
            <CheckField
              key={value}
              label={`When ${name}`}
              checked={always || stopOn === null || stopOn.includes(value)}
              disabled={disabled || always}
              onChange={(on) => {
                const before = stopOn ?? stops.map((one) => one.value);
                set({ stopOn: on ? [...before, value] : before.filter((one) => one !== value) });
              }}
            />
          ))}
        </div>
        <div className="mt-4 grid gap-4 sm:grid-cols-2">
          <SelectField
            label="A reply"
            value={textOf(said['onReply'])}
            options={[
              { value: '', name: 'does what the settings of the store say' },
              { value: 'stop', name: 'ends it' },
              { value: 'takeover', name: 'hands over to a colleague' },
            ]}
            onChange={(onReply) => set({ onReply: onReply === '' ? undefined : onReply })}
            faults={wrong('onReply')}
            disabled={disabled}
          />
          <SpanField
            label="An order counts as its success within"
            value={isRecord(goal) ? goal['within'] : '7d'}
            onChange={(within) => set({ goal: { event: 'order.placed', within: within ?? '' } })}
            faults={wrong('goal')}
            disabled={disabled}
          />
        </div>
      </Panel>
      <Panel title="Who is in it">
        <div className="grid gap-4 sm:grid-cols-2">
          <LineField
            label="Left out by chance"
            hint="A share such as 10%: what they order all the same shows what the messages really bring."
            value={textOf(said['holdout'] ?? '0%')}
            onChange={(holdout) => set({ holdout: /^0*%?$/.test(holdout) ? undefined : holdout })}
            faults={wrong('holdout')}
            disabled={disabled}
          />
          <LineField
            label="Courses that are compared by chance"
            hint="None, or two to ten names, such as short, long. With shares: short 2, long 1. A step that only one of them gets says so by its condition."
            value={arms}
            onChange={(text) => {
              setArms(text);
              set({ arms: armsOf(text) });
            }}
            faults={wrong('arms')}
            disabled={disabled}
          />
          <SelectField
            label="Who goes first, where several sequences want the same person"
            value={textOf(said['priority'] ?? 3)}
            options={['1', '2', '3', '4', '5'].map((value) => ({
              value,
              name: value === '1' ? '1, the first' : value === '5' ? '5, the last' : value,
            }))}
            onChange={(priority) => set({ priority: Number(priority) })}
            faults={wrong('priority')}
            disabled={disabled}
          />
          <SelectField
            label="Again"
            value={cooldown === null ? textOf(reentry) : 'cooldown'}
            options={[
              { value: '', name: 'as is usual for what it is about' },
              { value: 'once-per-subject', name: 'never about the same cart or lead' },
              { value: 'once-per-silence', name: 'whenever they fall silent again' },
              { value: 'once-per-entry', name: 'whenever they come into the band again' },
              { value: 'cooldown', name: 'once some time is over' },
            ]}
            onChange={(next) => set({ reentry: next === '' ? undefined : next === 'cooldown' ? { cooldown: '30d' } : next })}
            faults={wrong('reentry')}
            disabled={disabled}
          />
          {cooldown !== null && (
            <SpanField label="Some time" value={cooldown} onChange={(next) => set({ reentry: { cooldown: next ?? '' } })} disabled={disabled} />
          )}
          <SelectField
            label="One person with several carts or leads"
            value={textOf(said['together'] ?? 'one')}
            options={[
              { value: 'one', name: 'is in one conversation' },
              { value: 'many', name: 'is in one for each' },
            ]}
            onChange={(together) => set({ together })}
            faults={wrong('together')}
            disabled={disabled}
          />
          <SelectField
            label="A step that the caps on messages hold back"
            value={textOf(said['whenCapped'] ?? 'skip')}
            options={[
              { value: 'skip', name: 'is left out once it is too old' },
              { value: 'wait', name: 'waits for its turn' },
            ]}
            onChange={(whenCapped) => set({ whenCapped })}
            faults={wrong('whenCapped')}
            disabled={disabled}
          />
          <SelectField
            label="While they are in a sequence of another campaign"
            value={textOf(said['overlap'] ?? 'allow')}
            options={[
              { value: 'allow', name: 'they may be in this one, too' },
              { value: 'refuse', name: 'they are not taken' },
            ]}
            onChange={(overlap) => set({ overlap })}
            faults={wrong('overlap')}
            disabled={disabled}
          />
          <WindowFields value={said['window']} onChange={(window) => set({ window })} faults={wrong('window')} disabled={disabled} />
          <Rate value={said['rate']} onChange={(rate) => set({ rate })} faults={wrong('rate')} disabled={disabled} />
        </div>
      </Panel>
      {whole.map(({ message }) => (
        <p key={message} className="text-bad">
          {message}
        </p>
      ))}
    </div>
  );
}

function Rate({
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
  const rate = isRecord(value) ? value : null;
  return (
    <div className="grid gap-4 sm:col-span-2 sm:grid-cols-2">
      <LineField
        label="Messages at most"
        hint="To all people together. Empty: as many as are due."
        value={rate === null ? '' : textOf(rate['most'])}
        onChange={(most) => onChange(most === '' ? undefined : { within: '1d', ...rate, most: /^\d+$/.test(most) ? Number(most) : most })}
        faults={faults}
        disabled={disabled}
      />
      {rate !== null && (
        <SpanField
          label="Within"
          value={spanOf(rate['within']).amount === '' ? '1d' : rate['within']}
          onChange={(within) => onChange({ ...rate, within: within ?? '' })}
          disabled={disabled}
        />
      )}
    </div>
  );
}
