import { useState } from 'react';
import { plain, sentenceCase } from '../../parts/format.ts';
import { Panel } from '../../parts/panel.tsx';
import { ConditionField } from './condition.tsx';
import { ChannelsField, channelSaid, offerChoice, offerOptions, offerSaid } from './step-choices.tsx';
import { AreaField, CheckField, LineField, SelectField, SpanField } from './fields.tsx';
import { channelName } from '../../parts/words.ts';
import { fieldName } from './field-words.ts';
import { Variants } from './variants.tsx';
import {
  channelsOf,
  channelTexts,
  changeStep,
  contentsOf,
  type Draft,
  fieldAtLine,
  type Faults,
  type Form,
  isRecord,
  readText,
  type Step,
  stepsOf,
  textOf,
  textsOfStep,
  translationsOf,
  withFields,
  writeText,
} from './form.ts';

/** Fields that have a place of their own in the form. */
const shownFields = new Set([
  'id',
  'on',
  'at',
  'after',
  'channel',
  'content',
  'when',
  'offer',
  'window',
  'expires',
  'maxRetries',
  'onFailure',
  'bestHour',
  'variants',
  'lapsesWith',
]);

interface Editing {
  form: Form;
  draft: Draft;
  index: number;
  step: Step;
  faults: Faults;
  disabled: boolean;
  onChange: (draft: Draft) => void;
}

export function StepEditor(editing: Editing) {
  const { form, draft, index, step, faults, disabled, onChange } = editing;
  const set = (change: Readonly<Record<string, unknown>>) => onChange(changeStep(draft, index, change));
  const wrong = (...fields: string[]) =>
    faults.flatMap(({ path, message }) => (path[0] === 'steps' && path[1] === index && fields.includes(String(path[2])) ? [message] : []));
  const earlier = stepsOf(draft)
    .slice(0, index)
    .map(({ id }) => id);
  return (
    <div className="space-y-5">
      <Panel title={sentenceCase(plain(step.id))} note="When it comes, by which way, and for whom.">
        <div className="space-y-4">
          <When step={step} earlier={earlier} set={set} faults={wrong('at', 'after', 'on')} disabled={disabled} />
          <Channels {...editing} wrong={wrong('channel')} />
          <ConditionField
            key={step.id}
            value={step['when']}
            onChange={(when) => set({ when })}
            earlier={earlier}
            attributes={form.about?.attributes ?? []}
            faults={wrong('when')}
            disabled={disabled}
          />
          <SelectField
            label="Offer"
            value={offerChoice(step['offer'])}
            options={offerOptions}
            onChange={(offer) => set({ offer: offerSaid(offer) })}
            faults={wrong('offer')}
            disabled={disabled}
          />
          <Variants {...editing} onTexts={(next) => onChange(withNewTexts(form, next, index))} />
          <details className="rounded-md border border-line px-3 py-2">
            <summary className="cursor-pointer text-[0.8125rem] font-medium">Hours, expiry and what follows a failure</summary>
            <div className="mt-3 grid gap-4 sm:grid-cols-2">
              <WindowFields value={step['window']} onChange={(window) => set({ window })} faults={wrong('window')} disabled={disabled} />
              <SpanField
                label="May still go out for"
                hint="After its time. Empty: as rule 5 has it."
                value={step['expires']}
                onChange={(expires) => set({ expires })}
                faults={wrong('expires')}
                disabled={disabled}
              />
              <SelectField
                label="Goes out no more once this is due"
                value={textOf(step['lapsesWith'])}
                options={[
                  { value: '', name: 'None: it has its own time' },
                  ...stepsOf(draft)
                    .slice(index + 1)
                    .map(({ id }) => ({ value: id, name: sentenceCase(plain(id)) })),
                ]}
                onChange={(id) => set({ lapsesWith: id === '' ? undefined : id })}
                faults={wrong('lapsesWith')}
                disabled={disabled}
              />
              <SelectField
                label="Where the provider keeps refusing"
                value={textOf(step['onFailure'] ?? 'skip')}
                options={[
                  { value: 'skip', name: 'Leave the step out' },
                  { value: 'next-channel', name: 'Take the next way' },
                  { value: 'end', name: 'End the sequence' },
                ]}
                onChange={(onFailure) => set({ onFailure: onFailure === 'skip' ? undefined : onFailure })}
                faults={wrong('onFailure')}
                disabled={disabled}
              />
              <CheckField
                label="Wait for the hour at which the person reads emails"
                checked={step['bestHour'] === true}
                onChange={(on) => set({ bestHour: on ? true : undefined })}
                disabled={disabled}
              />
            </div>
          </details>
          <Others step={step} set={set} wrong={wrong} disabled={disabled} />
        </div>
      </Panel>
      <Texts key={step.id} {...editing} />
    </div>
  );
}

type Set = (change: Readonly<Record<string, unknown>>) => void;

function When({
  step,
  earlier,
  set,
  faults,
  disabled,
}: {
  step: Step;
  earlier: readonly string[];
  set: Set;
  faults: readonly string[];
  disabled: boolean;
}) {
  const { on, at, after } = step;
  const event = isRecord(on) ? textOf(on['event']) : '';
  const from = event !== '' ? event : after === undefined ? 'start' : 'before';
  const span = at ?? after ?? '1h';
  const choose = (next: string) => {
    if (next === 'start') set({ on: undefined, after: undefined, at: span });
    else if (next === 'before') set({ on: undefined, at: undefined, after: span });
    else if (next === 'contact.asked_later') set({ on: { event: next }, at: undefined, after: undefined });
    else
      set({
        on: { event: next, step: isRecord(on) && on['step'] !== undefined ? on['step'] : earlier.at(-1), within: '3d' },
        at: undefined,
        after: span,
      });
  };
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      {event !== 'contact.asked_later' && (
        <SpanField
          label="When"
          value={span}
          onChange={(next) => set(from === 'start' ? { at: next ?? '' } : { after: next ?? '' })}
          faults={faults}
          disabled={disabled}
        />
      )}
      <SelectField
        label="Counted from"
        value={from}
        options={[
          { value: 'start', name: 'the start of the sequence' },
          { value: 'before', name: 'the step before' },
          { value: 'message.opened', name: 'when a message is opened' },
          { value: 'message.clicked', name: 'when a message is clicked' },
          { value: 'contact.asked_later', name: 'when somebody asks to be called later' },
        ]}
        onChange={choose}
        disabled={disabled}
      />
      {isRecord(on) && event.startsWith('message.') && (
        <SelectField
          label="The message of"
          value={textOf(on['step'])}
          options={earlier.map((id) => ({ value: id, name: sentenceCase(plain(id)) }))}
          onChange={(id) => set({ on: { ...on, step: id } })}
          disabled={disabled}
        />
      )}
    </div>
  );
}

/** In order of preference: of several, the first that is possible. */
function Channels({ form, draft, index, step, onChange, wrong, disabled }: Editing & { wrong: readonly string[] }) {
  return (
    <ChannelsField
      label="By"
      hint="Of several, the first that is possible: connected, allowed, and with an address."
      value={channelsOf(step)}
      faults={wrong}
      disabled={disabled}
      onChange={(channels) => onChange(withNewTexts(form, changeStep(draft, index, { channel: channelSaid(channels) }), index))}
    />
  );
}

/** Gives the texts that a step needs and nobody has written yet their first words. */
export function withNewTexts(form: Form, draft: Draft, index: number): Draft {
  const step = stepsOf(draft)[index];
  if (step === undefined || step['script'] !== undefined) return draft;
  const needsText = channelsOf(step).some((channel) => channelTexts[channel] !== undefined);
  const named = contentsOf(step).length > 0 || !needsText ? draft : changeStep(draft, index, { content: `${form.slug}/${step.id}` });
  const texts = { ...named.texts };
  for (const { name, channel } of textsOfStep(stepsOf(named)[index] ?? step)) {
    const known = texts[name] !== undefined || form.texts.some((text) => text.name === name) || form.unknown_texts.includes(name);
    const starter = channelTexts[channel]?.starter ?? '';
    if (!known) texts[name] = writeText(readText(starter.replace('[kind]', `[${form.about?.kind ?? 'lead'}]`)));
  }
  return { ...named, texts };
}

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

export function WindowFields({
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
  const window = isRecord(value) ? value : null;
  const chosen = Array.isArray(window?.['days']) ? window['days'].map(textOf) : days;
  return (
    <fieldset className="min-w-0 sm:col-span-2">
      <CheckField
        label="Only at certain hours, by the clock of the person"
        checked={window !== null}
        onChange={(on) => onChange(on ? { from: '09:00', to: '18:00', days } : undefined)}
        disabled={disabled}
      />
      {window !== null && (
        <div className="mt-2 flex flex-wrap items-end gap-3">
          {(['from', 'to'] as const).map((end) => (
            <LineField
              key={end}
              label={end === 'from' ? 'From' : 'Until'}
              value={textOf(window[end] ?? (end === 'from' ? '00:00' : '24:00'))}
              onChange={(time) => onChange({ ...window, [end]: time })}
              disabled={disabled}
            />
          ))}
          <span className="flex flex-wrap gap-x-3">
            {days.map((day) => (
              <CheckField
                key={day}
                label={sentenceCase(day)}
                checked={chosen.includes(day)}
                onChange={(on) => onChange({ ...window, days: days.filter((one) => (one === day ? on : chosen.includes(one))) })}
                disabled={disabled}
              />
            ))}
          </span>
        </div>
      )}
      {faults.map((fault) => (
        <p key={fault} className="mt-1 text-bad">
          It {fault}
        </p>
      ))}
    </fieldset>
  );
}

/** What has no place of its own in the form: as it stands in a file. */
function Others({ step, set, wrong, disabled }: { step: Step; set: Set; wrong: (...fields: string[]) => readonly string[]; disabled: boolean }) {
  const others = Object.fromEntries(
    Object.entries(step).filter(([name, value]) => !shownFields.has(name) || (name === 'content' && isRecord(value))),
  );
  const [text, setText] = useState<string | null>(null);
  const [broken, setBroken] = useState(false);
  const known = Object.keys(others);
  const faults = wrong(...known, 'texts', 'script', 'requires', 'task', 'content', 'id');
  return (
    <details className="rounded-md border border-line px-3 py-2" open={faults.length > 0}>
      <summary className="cursor-pointer text-[0.8125rem] font-medium">
        Everything else{known.length === 0 ? '' : `: ${known.map(fieldName).join(', ')}`}
      </summary>
      <div className="mt-3">
        <AreaField
          label="Further fields"
          hint="As in a file, in JSON: texts, script, requires, task. The guide to sequences says what each does."
          rows={4}
          mono
          value={text ?? JSON.stringify(others, null, 1)}
          disabled={disabled}
          faults={broken ? ['is no JSON object'] : faults}
          onChange={(next) => {
            setText(next);
            const read = readObject(next);
            setBroken(read === null);
            if (read === null) return;
            set({ ...Object.fromEntries(known.map((name) => [name, undefined])), ...withFields(read, { id: undefined }) });
          }}
        />
      </div>
    </details>
  );
}

function readObject(text: string): Record<string, unknown> | null {
  try {
    const read: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
    return isRecord(read) ? read : null;
  } catch {
    return null;
  }
}

/** The words of a step, for each of its ways and languages. */
function Texts({ form, draft, step, faults, disabled, onChange }: Editing) {
  const originals = textsOfStep(step);
  const [wanted, setWanted] = useState('');
  if (originals.length === 0) return null;
  const written = new Map<string, string>([
    ...form.texts.map(({ name, source }): [string, string] => [name, source]),
    ...Object.entries(draft.texts),
  ]);
  const all = originals.flatMap(({ name, channel }) => [
    { name, channel },
    ...translationsOf(name, [...written.keys()]).map((other) => ({ name: other, channel })),
  ]);
  const shown = all.find(({ name }) => name === wanted) ?? all[0];
  if (shown === undefined) return null;
  const source = written.get(shown.name);
  const loaded = form.texts.find(({ name }) => name === shown.name);
  const changed = draft.texts[shown.name];
  const parts =
    changed !== undefined ? readText(changed) : loaded !== undefined ? { fields: loaded.fields, body: loaded.body } : readText(source ?? '');
  const own = faults.filter(({ text }) => text === shown.name);
  // Lines lead to fields in what was written here alone.
  const wrong = (field: string) =>
    (changed === undefined ? [] : own).flatMap(({ line, message }) => (line !== null && fieldAtLine(parts, line) === field ? [message] : []));
  const write = (next: typeof parts) => {
    // A translation of another text goes, unless it is said again.
    const original = originals.find(({ name }) => shown.name === name);
    const translations = original === undefined ? [] : translationsOf(original.name, [...written.keys()]);
    const kept = Object.fromEntries(translations.map((name) => [name, written.get(name) ?? '']));
    onChange({ ...draft, texts: { ...kept, ...draft.texts, [shown.name]: writeText(next) } });
  };
  const isKnown = source !== undefined;
  // A language that another text of the sequence has: what is missing has no text in which it could be said.
  const missing = originals.flatMap(({ name }) =>
    translationsOf(
      name,
      faults.flatMap(({ text }) => (text === null || written.has(text) ? [] : [text])),
    ),
  );
  const begin = () => {
    const copyOf = (name: string) => {
      const original = name.slice(0, name.lastIndexOf('.'));
      const known = form.texts.find((one) => one.name === original);
      return draft.texts[original] ?? (known === undefined ? '' : writeText(known));
    };
    onChange({ ...draft, texts: { ...draft.texts, ...Object.fromEntries(missing.map((name) => [name, copyOf(name)])) } });
  };
  const others = own.filter(({ line }) => line === null || changed === undefined);
  return (
    <Panel
      title="What it says"
      note={
        originals.some(({ name }) => name === shown.name) && all.length > originals.length
          ? 'Its translations stay as they are: look at them, too, where you change the meaning.'
          : undefined
      }
    >
      <div className="space-y-4">
        {all.length > 1 && (
          <SelectField
            label="Text"
            value={shown.name}
            options={all.map(({ name, channel }) => ({
              value: name,
              name: `${nameOfText(name, channel, originals)}${faults.some(({ text, severity }) => text === name && severity === 'error') ? ' · wrong' : ''}`,
            }))}
            onChange={setWanted}
            disabled={false}
          />
        )}
        {missing.length > 0 && (
          <p className="text-[0.8125rem] text-bad">
            {`Missing: ${missing.map((name) => nameOfText(name, originals.find((one) => name.startsWith(`${one.name}.`))?.channel ?? '', originals)).join(', ')}. Every text of a sequence is there in the same languages. `}
            <button type="button" className="text-accent underline" disabled={disabled} onClick={begin}>
              Begin them as copies, to be translated
            </button>
          </p>
        )}
        {!isKnown && (
          <p className="text-[0.8125rem] text-soft">
            How this text was written is not kept, only what became of it. It stays as it is, or you{' '}
            <button
              type="button"
              className="text-accent underline"
              disabled={disabled}
              onClick={() => write(readText((channelTexts[shown.channel]?.starter ?? '').replace('[kind]', `[${form.about?.kind ?? 'lead'}]`)))}
            >
              write it anew
            </button>
            .
          </p>
        )}
        {isKnown && (
          <>
            {Object.entries(parts.fields).map(([field, value]) =>
              typeof value === 'string' || typeof value === 'number' ? (
                <LineField
                  key={field}
                  label={fieldNames[field] ?? sentenceCase(plain(field))}
                  value={String(value)}
                  onChange={(next) =>
                    write({ ...parts, fields: { ...parts.fields, [field]: typeof value === 'number' && /^\d+$/.test(next) ? Number(next) : next } })
                  }
                  faults={wrong(field)}
                  disabled={disabled}
                />
              ) : null,
            )}
            <AreaField
              label="Text"
              hint={
                <>
                  {'{{ … }}'} is replaced by what is known of the person; {'{% if … %}'} leaves something out where it is not.
                </>
              }
              rows={12}
              value={parts.body}
              onChange={(body) => write({ ...parts, body })}
              faults={wrong('body')}
              disabled={disabled}
            />
          </>
        )}
        {others.map(({ message }) => (
          <p key={message} className="text-[0.8125rem] text-bad">
            {message}
          </p>
        ))}
      </div>
    </Panel>
  );
}

/** What the parts of a text are called here. */
const fieldNames: Readonly<Record<string, string>> = { cta: 'Button', preheader: 'Preview line', close: 'Button that closes it' };

const languageNames = new Intl.DisplayNames('en', { type: 'language' });

function nameOfText(name: string, channel: string, originals: readonly { name: string; channel: string }[]): string {
  const original = originals.find((one) => name === one.name || name.startsWith(`${one.name}.`))?.name ?? name;
  const way = channelName(channel);
  const isOneOfMany = originals.filter((one) => one.channel === channel).length > 1;
  const content = isOneOfMany ? ` · ${original.split('/').at(-1)?.split('.')[0]}` : '';
  return name === original ? `${way}${content}` : `${way}${content} · ${languageNames.of(name.slice(original.length + 1)) ?? ''}`;
}
