import { type FormEvent, useState } from 'react';
import type { Item } from '../../../sdk/index.ts';
import { bulkEnrollments } from '../../../sdk/index.ts';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { formatNumber, plain } from '../../parts/format.ts';
import { inputLook, lineOf, TextField } from '../../parts/labelled.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Answer, Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';

type Job = Item<'GET /api/bulk-enrollments'>;

/** Takes carts and leads that were left before the sequence was there, bit by bit, once it was played over the store's own history. */
export function OldOnes({ sequence }: { sequence: string }) {
  const { role } = useStore();
  const [open, setOpen] = useState(false);
  const list = useStoreQuery(['bulk-enrollments'], (api, signal) => bulkEnrollments(api).list({ limit: 100 }, { signal }), { live: true });
  return (
    <Panel
      title="Old ones"
      note="Carts and leads that were left before are taken in bit by bit: each once, and checked like one that is taken in by hand. It needs a play over your own history first."
      aside={may(role, 'edit') && <Button onClick={() => setOpen(true)}>Take old ones in</Button>}
      flush
    >
      <Answer of={list}>
        {({ data }) => {
          const own = data.filter((one) => one.sequence === sequence);
          return own.length === 0 ? (
            <Empty title="Nothing was taken in this way" />
          ) : (
            <ul className="divide-y divide-line border-t border-line">
              {own.map((job) => (
                <OneJob key={job.id} of={job} />
              ))}
            </ul>
          );
        }}
      </Answer>
      <Dialog title="Take old ones in" open={open} onClose={() => setOpen(false)}>
        <Form sequence={sequence} onClose={() => setOpen(false)} />
      </Dialog>
    </Panel>
  );
}

const states: Record<Job['state'], [tone: Tone, word: string]> = {
  running: ['accent', 'under way'],
  paused: ['warn', 'on hold'],
  cancelled: ['neutral', 'ended by hand'],
  done: ['good', 'done'],
};

function OneJob({ of: job }: { of: Job }) {
  const { role } = useStore();
  const change = useAction((api, does: 'pause' | 'resume' | 'cancel') => bulkEnrollments(api)[does](job.id));
  const [tone, word] = states[job.state];
  const isOpen = job.state === 'running' || job.state === 'paused';
  const refused = Object.entries(job.refused);
  return (
    <li className="flex flex-wrap items-start justify-between gap-3 px-4 py-3">
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2">
          <span className="font-medium">{formatNumber(job.enrolled)} taken in</span> <Badge tone={tone}>{word}</Badge>
          {job.paused_because !== null && <Badge tone="warn">{plain(job.paused_because)}</Badge>}
        </p>
        <p className="text-[0.8125rem] text-soft">
          {formatNumber(job.examined)} of {formatNumber(job.candidates)} looked at, {formatNumber(job.people)}{' '}
          {job.per === 'hour' ? 'an hour' : 'a day'} at most, version {formatNumber(job.version)}, since <Time at={job.created_at} />
        </p>
        {refused.length > 0 && (
          <p className="text-[0.8125rem] text-soft">
            Left out: {refused.map(([reason, count]) => `${plain(reason)} ${formatNumber(count)}`).join(', ')}
          </p>
        )}
        {change.error !== null && (
          <p role="alert" className="text-[0.8125rem] text-bad">
            {change.error.message}
          </p>
        )}
      </div>
      {may(role, 'edit') && isOpen && (
        <span className="flex flex-wrap gap-2">
          <Button disabled={change.isPending} onClick={() => change.mutate(job.state === 'paused' ? 'resume' : 'pause')}>
            {job.state === 'paused' ? 'Go on' : 'Hold'}
          </Button>
          <Button look="danger" disabled={change.isPending} onClick={() => change.mutate('cancel')}>
            End
          </Button>
        </span>
      )}
    </li>
  );
}

function Form({ sequence, onClose }: { sequence: string; onClose: () => void }) {
  const start = useAction((api, form: FormData) => {
    const [from, until, most] = [lineOf(form, 'from'), lineOf(form, 'until'), lineOf(form, 'most')];
    return bulkEnrollments(api).start({
      sequence,
      people: Number(lineOf(form, 'people')),
      per: lineOf(form, 'per') === 'day' ? 'day' : 'hour',
      ...(most === '' ? {} : { most: Number(most) }),
      ...(from === '' ? {} : { active_from: new Date(`${from}T00:00`).toISOString() }),
      ...(until === '' ? {} : { active_until: new Date(`${until}T00:00`).toISOString() }),
    });
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    start.mutate(new FormData(event.currentTarget), { onSuccess: onClose });
  };
  return (
    <form onSubmit={submit} className="mt-3 space-y-4">
      <div className="grid grid-cols-2 gap-3">
        <TextField label="People" name="people" type="number" min={1} max={100_000} required defaultValue={50} />
        <label className="block text-[0.8125rem]">
          <span className="mb-1 block font-medium">in</span>
          <select name="per" className={inputLook} defaultValue="hour">
            <option value="hour">an hour</option>
            <option value="day">a day</option>
          </select>
        </label>
        <TextField label="Left since" name="from" type="date" />
        <TextField label="and before" name="until" type="date" />
      </div>
      <TextField label="Altogether at most" name="most" type="number" min={1} max={10_000_000} hint="Empty: everybody who fits." />
      {start.error !== null && (
        <p role="alert" className="text-bad">
          {start.error.code === 'not_backtested'
            ? 'The version in use was not played over your own history yet: do that first, on this page.'
            : (start.error.errors?.[0]?.message ?? start.error.message)}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="main" disabled={start.isPending}>
          Begin
        </Button>
      </div>
    </form>
  );
}
