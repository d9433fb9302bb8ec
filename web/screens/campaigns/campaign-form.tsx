import { type FormEvent, useId, useState } from 'react';
import type { Body, Data } from '../../../sdk/index.ts';
import { campaigns, sequences } from '../../../sdk/index.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { sentenceCase } from '../../parts/format.ts';
import { inputLook, lineOf, TextField } from '../../parts/labelled.tsx';
import { useStoreQuery } from '../../session/store-query.ts';
import { knownSources, sourceName, sourceOf } from '../leads/lead-words.ts';
import { useAction } from '../../session/use-action.ts';

type Campaign = Data<'GET /api/campaigns/{id}'>;
type Fields = Body<'POST /api/campaigns'>;
type Day = NonNullable<Fields['schedule']>['days'] extends (infer One)[] | undefined ? One : never;

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const satisfies readonly Day[];

/** What a campaign takes, and how it contacts them. @param campaign - null: a new one */
export function CampaignForm({
  campaign,
  open,
  onClose,
  onSaved,
}: {
  campaign: Campaign | null;
  open: boolean;
  onClose: () => void;
  onSaved: (saved: Campaign) => void;
}) {
  return (
    <Dialog title={campaign === null ? 'A new campaign' : `Change “${campaign.name}”`} open={open} onClose={onClose}>
      <Form campaign={campaign} onClose={onClose} onSaved={onSaved} />
    </Dialog>
  );
}

function Form({ campaign, onClose, onSaved }: { campaign: Campaign | null; onClose: () => void; onSaved: (saved: Campaign) => void }) {
  const list = useStoreQuery(['sequences'], (api, signal) => sequences(api).list({ limit: 200 }, { signal }));
  const [days, setDays] = useState<readonly Day[]>(campaign?.schedule?.days ?? weekdays);
  const id = useId();
  const save = useAction((api, fields: Fields) => (campaign === null ? campaigns(api).create(fields) : campaigns(api).update(campaign.id, fields)));
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(fieldsOf(new FormData(event.currentTarget), days), { onSuccess: onSaved });
  };
  const sequence = campaign?.sequence ?? '';
  const offered = (list.data?.data ?? []).filter((one) => one.slug === sequence || (one.about === 'lead' && one.status === 'ACTIVE'));
  return (
    <form onSubmit={submit} className="mt-3 space-y-4">
      <TextField label="Name" name="name" required maxLength={120} defaultValue={campaign?.name} />
      <label className="block text-[0.8125rem]">
        <span className="mb-1 block font-medium">Contacts its leads by</span>
        {/* Its choices come later than its value. */}
        <select key={offered.length} name="sequence" className={inputLook} defaultValue={sequence}>
          <option value="">nothing yet</option>
          {offered.map(({ slug, name }) => (
            <option key={slug} value={slug}>
              {name}
            </option>
          ))}
        </select>
        <span className="mt-1 block text-soft">Sequences about leads. Once a campaign uses one, it begins for its leads only.</span>
      </label>
      <TextField
        label="Takes new leads from"
        name="sources"
        defaultValue={campaign?.autoAssign?.sources.map(sourceName).join(', ')}
        placeholder="Facebook or Instagram, landing page"
        hint={`${knownSources.join(', ')}, or a name that a source states; with commas. Empty: leads are put in by hand.`}
      />
      <TextField
        label="At most, altogether"
        name="maxLeads"
        type="number"
        min={1}
        max={10_000_000}
        defaultValue={campaign?.autoAssign?.maxLeads ?? ''}
        hint="Empty: all of them."
      />
      <fieldset className="space-y-2 text-[0.8125rem]">
        <legend className="mb-1 font-medium">Contacts them</legend>
        <div className="flex flex-wrap gap-x-3 gap-y-1">
          {weekdays.map((day) => (
            <label key={day} className="inline-flex items-center gap-1.5">
              <input
                type="checkbox"
                checked={days.includes(day)}
                onChange={({ target }) => setDays(weekdays.filter((one) => (one === day ? target.checked : days.includes(one))))}
              />
              {sentenceCase(day)}
            </label>
          ))}
        </div>
        <div className="grid grid-cols-2 gap-3">
          <TextField label="From" name="from" type="time" defaultValue={campaign?.schedule?.from} />
          <TextField label="Until" name="to" type="time" defaultValue={campaign?.schedule?.to} />
        </div>
        <p className="text-soft">By the lead’s own clock. Without hours: whenever the store may write.</p>
      </fieldset>
      <div className="grid grid-cols-2 gap-3">
        <TextField label="Messages at most" name="most" type="number" min={1} max={100_000} defaultValue={campaign?.rate?.most ?? ''} />
        <label className="block text-[0.8125rem]" htmlFor={id}>
          <span className="mb-1 block font-medium">within</span>
          <select id={id} name="within" className={inputLook} defaultValue={String(campaign?.rate?.withinSeconds ?? 3_600)}>
            {spans(campaign?.rate?.withinSeconds).map(([seconds, name]) => (
              <option key={seconds} value={seconds}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      {save.error !== null && (
        <p role="alert" className="text-bad">
          {save.error.errors?.[0] === undefined ? save.error.message : `${save.error.errors[0].path} ${save.error.errors[0].message}`}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="main" disabled={save.isPending}>
          {campaign === null ? 'Make it' : 'Save'}
        </Button>
      </div>
    </form>
  );
}

const usual: readonly (readonly [seconds: number, name: string])[] = [
  [60, 'a minute'],
  [3_600, 'an hour'],
  [86_400, 'a day'],
];
const spans = (own: number | undefined) =>
  own === undefined || usual.some(([seconds]) => seconds === own) ? usual : [...usual, [own, `${own} seconds`] as const];

function fieldsOf(form: FormData, days: readonly Day[]): Fields {
  const sources = lineOf(form, 'sources')
    .split(',')
    .map((one) => sourceOf(one.trim()))
    .filter((one) => one !== '');
  const [most, maxLeads, from, to] = [lineOf(form, 'most'), lineOf(form, 'maxLeads'), lineOf(form, 'from'), lineOf(form, 'to')];
  return {
    name: lineOf(form, 'name'),
    sequence: lineOf(form, 'sequence') || null,
    autoAssign: sources.length === 0 ? null : { sources, maxLeads: maxLeads === '' ? null : Number(maxLeads) },
    schedule: from === '' && to === '' && days.length === weekdays.length ? null : { days: [...days], from: from || '00:00', to: to || '24:00' },
    rate: most === '' ? null : { most: Number(most), withinSeconds: Number(lineOf(form, 'within')) },
  };
}
