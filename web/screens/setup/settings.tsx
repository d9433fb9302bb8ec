import { type FormEvent, type ReactNode, useState } from 'react';
import type { Body, Data } from '../../../sdk/index.ts';
import { settings } from '../../../sdk/index.ts';
import { Button } from '../../parts/button.tsx';
import { lineOf, TextField } from '../../parts/labelled.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Answer } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import { labelOf } from './config-fields.ts';

type Stored = Data<'GET /api/settings'>;
type Change = NonNullable<Body<'PATCH /api/settings'>>['settings'];

/** A field of the settings that is a line of text. `empty`: what it is without one. */
const fields = [
  { name: 'storeName', label: 'Name of the store', group: 'store', hint: 'As it stands in messages.', empty: '' },
  { name: 'storeUrl', label: 'Address of the store', group: 'store', type: 'url', empty: '' },
  { name: 'supportEmail', label: 'Email address for questions', group: 'store', type: 'email', empty: null },
  { name: 'postalAddress', label: 'Postal address', group: 'store', hint: 'The law wants it in every commercial email.', empty: '' },
  { name: 'country', label: 'Country', group: 'store', hint: 'Two letters, such as AT: for telephone numbers without a country code.', empty: '' },
  { name: 'currency', label: 'Currency', group: 'store', hint: 'Three letters, such as EUR: for amounts that do not say theirs.', empty: null },
  { name: 'senderName', label: 'Sender of emails', group: 'sender', empty: '' },
  {
    name: 'senderAddress',
    label: 'Address of the sender',
    group: 'sender',
    type: 'email',
    hint: 'Its domain must say that you may send for it (SPF and DKIM): whoever looks after your domain can enter that.',
    empty: '',
  },
  { name: 'replyTo', label: 'Replies go to', group: 'sender', type: 'email', empty: null },
  { name: 'smsSender', label: 'Sender of text messages', group: 'sender', hint: 'A number with its country code, or a name.', empty: null },
  { name: 'timeZone', label: 'Time zone', group: 'time', hint: 'Such as Europe/Vienna.', list: 'time-zones', empty: '' },
] as const;

const groups = [
  { group: 'store', title: 'The store' },
  { group: 'sender', title: 'Who writes' },
  { group: 'time', title: 'When nobody is written to' },
] as const;

/** What a store needs before its first message. Everything else is set by `npx rekindle settings`. */
export function SettingsPage() {
  const found = useStoreQuery(['settings'], (api, signal) => settings(api).get({ signal }));
  return (
    <>
      <PageHeader title="Settings" note="Who writes to people, and when nobody is written to." />
      <Answer of={found}>{(stored) => <Form key={stored.version} stored={stored} />}</Answer>
    </>
  );
}

function Form({ stored }: { stored: Stored }) {
  const { role } = useStore();
  const allowed = may(role, 'administer');
  const [quiet, setQuiet] = useState(stored.settings['quietHours'] !== null);
  const save = useAction((api, change: Change) => settings(api).update({ version: stored.version, settings: change }));
  const stated = (name: string) => (typeof stored.settings[name] === 'string' ? stored.settings[name] : '');
  // What is only an example stands behind the empty field, so that nobody takes it for their own.
  const isExample = (name: string) => stored.examples.includes(name);
  const text = (name: string) => (isExample(name) ? '' : stated(name));
  const hours = quietHoursOf(stored);
  const late = overdueOf(stored);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const line = (name: string) => lineOf(given, name);
    const change: Record<string, unknown> = {};
    for (const { name, empty } of fields) if (line(name) !== text(name)) change[name] = line(name) === '' ? empty : line(name);
    const next = quiet ? { fromMinute: minuteOf(line('quietFrom')), toMinute: minuteOf(line('quietTo')) } : null;
    if (JSON.stringify(next) !== JSON.stringify(stored.settings['quietHours'])) change['quietHours'] = next;
    const overdue = {
      remindMinutes: minutesOf(line('remindMinutes')),
      passOnMinutes: minutesOf(line('passOnMinutes'))[0] ?? null,
      order: namesOf(line('order')),
    };
    if (JSON.stringify(overdue) !== JSON.stringify(late)) change['overdueTasks'] = overdue;
    const rate = line('catchUpPerMinute') === '' ? null : Number(line('catchUpPerMinute'));
    if (rate !== stored.settings['catchUpPerMinute']) change['catchUpPerMinute'] = rate;
    const stops = given.get('guardrailsStop') !== null;
    if (stops !== stored.settings['guardrailsStop']) change['guardrailsStop'] = stops;
    // The API says what is wrong with which field.
    if (Object.keys(change).length > 0) save.mutate(change as Change);
  };
  return (
    <form onSubmit={submit} className="max-w-3xl">
      {/* What is typed while it is stored would be gone with the form of the version before. */}
      <fieldset disabled={save.isPending} className="min-w-0 space-y-5">
        {groups.map(({ group, title }) => (
          <Panel key={group} title={title}>
            <div className="grid gap-4 sm:grid-cols-2">
              {fields
                .filter((field) => field.group === group)
                .map((field) => (
                  <TextField
                    key={field.name}
                    name={field.name}
                    label={field.label}
                    type={'type' in field ? field.type : 'text'}
                    list={'list' in field ? field.list : undefined}
                    hint={faultOf(save.error?.errors, field.name) ?? ('hint' in field ? field.hint : undefined)}
                    defaultValue={text(field.name)}
                    placeholder={isExample(field.name) ? `Such as ${stated(field.name)}` : undefined}
                    readOnly={!allowed}
                  />
                ))}
              {group === 'time' && (
                <datalist id="time-zones">
                  {Intl.supportedValuesOf('timeZone').map((name) => (
                    <option key={name} value={name} />
                  ))}
                </datalist>
              )}
              {group === 'time' && (
                <fieldset className="min-w-0 sm:col-span-2" disabled={!allowed}>
                  <label className="mb-3 flex items-center gap-2">
                    <input type="checkbox" checked={quiet} onChange={(event) => setQuiet(event.target.checked)} className="size-4 accent-accent" />
                    Quiet hours, by the clock of the person
                  </label>
                  {quiet && (
                    <div className="grid max-w-sm grid-cols-2 gap-4">
                      <TextField label="From" name="quietFrom" type="time" required defaultValue={hours.from} />
                      <TextField label="Until" name="quietTo" type="time" required defaultValue={hours.to} />
                    </div>
                  )}
                </fieldset>
              )}
            </div>
          </Panel>
        ))}
        <Panel title="When nobody does a task">
          <div className="grid gap-4 sm:grid-cols-2">
            <TextField
              label="Remind its owner after"
              name="remindMinutes"
              hint={faultOf(save.error?.errors, 'remindMinutes') ?? 'Minutes after it was due, such as 0, 30. Empty: never.'}
              defaultValue={late.remindMinutes.join(', ')}
              readOnly={!allowed}
            />
            <TextField
              label="Give it to the next one after"
              name="passOnMinutes"
              hint={faultOf(save.error?.errors, 'passOnMinutes') ?? 'Minutes after it was due. Empty: it stays.'}
              defaultValue={late.passOnMinutes === null ? '' : String(late.passOnMinutes)}
              readOnly={!allowed}
            />
            <TextField
              label="Who is next"
              name="order"
              hint={faultOf(save.error?.errors, 'order') ?? 'Names of people who do the work, in order. Empty: a manager, by the rule of the store.'}
              defaultValue={late.order.join(', ')}
              readOnly={!allowed}
            />
          </div>
        </Panel>
        <Panel title="What happens by itself">
          <div className="grid gap-4 sm:grid-cols-2">
            <TextField
              name="catchUpPerMinute"
              label="Late messages in a minute, at most"
              type="number"
              min={1}
              hint={
                faultOf(save.error?.errors, 'catchUpPerMinute') ?? 'After an outage, of what is later than ten minutes. Empty: as many as there are.'
              }
              defaultValue={typeof stored.settings['catchUpPerMinute'] === 'number' ? stored.settings['catchUpPerMinute'] : ''}
              readOnly={!allowed}
            />
            <label className="flex items-start gap-2 self-center text-[0.8125rem]">
              <input
                type="checkbox"
                name="guardrailsStop"
                defaultChecked={stored.settings['guardrailsStop'] === true}
                disabled={!allowed}
                className="mt-0.5 size-4 accent-accent"
              />
              <span>
                <span className="block font-medium">A variant that does harm is taken out</span>
                <span className="block text-soft">Where more opt-outs, complaints or refunds are certain.</span>
              </span>
            </label>
          </div>
        </Panel>
        <div className="flex flex-wrap items-center gap-3">
          {allowed && (
            <Button type="submit" look="main" disabled={save.isPending}>
              Save
            </Button>
          )}
          <Said error={save.error === null ? undefined : refusalOf(save.error)}>
            {save.isSuccess ? (
              'Saved.'
            ) : stored.changed_at === null ? (
              'Nothing was changed yet.'
            ) : (
              <>
                Changed <Time at={stored.changed_at} />.
              </>
            )}
          </Said>
        </div>
      </fieldset>
    </form>
  );
}

const Said = ({ error, children }: { error: string | undefined; children: ReactNode }) =>
  error === undefined ? (
    <p role="status" className="text-[0.8125rem] text-soft">
      {children}
    </p>
  ) : (
    <p role="alert" className="text-bad">
      {error}
    </p>
  );

/** What is wrong, by the names that the fields have here: some of them say nothing at their own place. */
const refusalOf = ({ message, errors }: { message: string; errors: readonly { path: string; message: string }[] }): string => {
  const named = errors.map(({ path, message: wrong }) => {
    const name = path.split('/')[2] ?? '';
    return `${fields.find((field) => field.name === name)?.label ?? labelOf(name)} ${wrong}`;
  });
  return named.length === 0 ? message : `Not saved: ${named.join('; ')}.`;
};

const faultOf = (errors: readonly { path: string; message: string }[] | undefined, name: string): string | undefined => {
  const found = errors?.find(({ path }) => path.includes(name));
  return found === undefined ? undefined : `It ${found.message}`;
};

function quietHoursOf({ settings: stored }: Stored): { from: string; to: string } {
  const hours = stored['quietHours'];
  const minute = (name: string, usual: number) => {
    const value: unknown = typeof hours === 'object' && hours !== null ? Reflect.get(hours, name) : undefined;
    return typeof value === 'number' ? value : usual;
  };
  return { from: clockOf(minute('fromMinute', 21 * 60)), to: clockOf(minute('toMinute', 8 * 60)) };
}

/** As the store has it; what it has not stored is as it came. */
function overdueOf({ settings: stored }: Stored): { remindMinutes: number[]; passOnMinutes: number | null; order: string[] } {
  const given: unknown = stored['overdueTasks'];
  const field = (name: string): unknown => (typeof given === 'object' && given !== null ? Reflect.get(given, name) : undefined);
  const [remind, passOn, order] = [field('remindMinutes'), field('passOnMinutes'), field('order')];
  return {
    remindMinutes: Array.isArray(remind) ? remind.map(Number) : [],
    passOnMinutes: typeof passOn === 'number' ? passOn : null,
    order: Array.isArray(order) ? order.map(String) : [],
  };
}

const namesOf = (text: string) =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
/** What is no number goes to the API as it is, which says so. */
const minutesOf = (text: string): number[] => namesOf(text).map(Number);

const clockOf = (minute: number) => `${String(Math.floor(minute / 60) % 24).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
const minuteOf = (clock: string) => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));
