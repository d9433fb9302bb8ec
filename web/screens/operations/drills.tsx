import { channelName, channelWord } from '../../parts/words.ts';
import { useState } from 'react';
import type { Item } from '../../../sdk/index.ts';
import { outageDrills } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { DataList } from '../../parts/data-list.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Figure } from '../../parts/figure.tsx';
import { formatNumber } from '../../parts/format.ts';
import { SelectField, TextField } from '../../parts/labelled.tsx';
import { AllPages, usePages } from '../../parts/pages.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Answer, Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import { WavesPicture } from './waves.tsx';

type Drill = Item<'GET /api/outage-drills'>;

/** What counts as away, in words, and what happens then. */
const parts: Record<Drill['part'], { name: string; means: string }> = {
  provider: { name: 'A provider', means: 'Does not answer: messages are put off, a little longer each time.' },
  worker: { name: 'The worker', means: 'Decides nothing: steps wait for it.' },
  temporal: { name: 'Temporal', means: 'Is told nothing, and no step is decided. What happens is stored, and stops take effect.' },
};
const nameOf = ({ part, channel }: Pick<Drill, 'part' | 'channel'>) =>
  part === 'provider' ? (channel === null ? 'Every provider' : `The provider of ${channelWord(channel)}`) : parts[part].name;

/** An outage that is practised: nobody is lost by it, nobody gets anything twice, and it ends by itself. */
export function Drills() {
  const { role } = useStore();
  const [asking, setAsking] = useState(false);
  const [chosen, setChosen] = useState<string | null>(null);
  const pages = usePages(['outage-drills'], (api, given, signal) => outageDrills(api).list({ ...given, limit: 10 }, { signal }), { live: true });
  const latest = pages.data?.pages[0]?.data ?? [];
  const running = latest.find((one) => one.running) ?? null;
  // The last one stays once it is over: what it released is seen then.
  const shown = chosen ?? running?.id ?? latest[0]?.id ?? null;
  return (
    <Panel
      title="Outage drill"
      note="For a share of the people a part counts as away for a while, as in a real outage. It ends by itself; whoever buys or opts out meanwhile is left alone."
      aside={
        may(role, 'administer') && (
          <Button disabled={running !== null} onClick={() => setAsking(true)}>
            Practise an outage
          </Button>
        )
      }
      flush
    >
      {shown !== null && <Shown key={shown} id={shown} />}
      <AllPages of={pages} empty={<Empty title="None was practised yet">Practise one before the first real one comes.</Empty>}>
        {(rows) => (
          <DataList
            label="Outages that were practised"
            rows={rows}
            idOf={({ id }) => id}
            columns={[
              {
                name: 'Away',
                cell: (one) => (
                  <button type="button" className="text-start font-medium hover:underline" onClick={() => setChosen(one.id)}>
                    {nameOf(one)}
                  </button>
                ),
              },
              { name: 'For', cell: ({ share_percent: share }) => `${share}%` },
              { name: 'Began', wide: true, cell: ({ started_at: at }) => <Time at={at} as="date" /> },
              {
                name: 'State',
                align: 'end',
                cell: ({ running: runs, ended_at: ended, ends_at: ends }) =>
                  runs ? (
                    <Badge tone="warn">running</Badge>
                  ) : (
                    <>
                      ended <Time at={ended ?? ends} />
                    </>
                  ),
              },
            ]}
          />
        )}
      </AllPages>
      <Ask open={asking} onClose={() => setAsking(false)} />
    </Panel>
  );
}

function Shown({ id }: { id: string }) {
  const { role } = useStore();
  const found = useStoreQuery(['outage-drills', id], (api, signal) => outageDrills(api).get(id, { signal }), { live: true, everyMs: 5_000 });
  const end = useAction((api, which: string) => outageDrills(api).end(which));
  return (
    <div className="border-t border-line p-4">
      <Answer of={found}>
        {(drill) => (
          <>
            <div className="mb-4 flex flex-wrap items-center justify-between gap-2">
              <p role="status">
                <span className="font-semibold">{`${nameOf(drill)} counts as away`}</span>
                {drill.running ? ' and is back ' : ' no longer, since '}
                <Time at={drill.ended_at ?? drill.ends_at} />
                {`, for ${drill.share_percent}% of the people. `}
                <span className="text-soft">{parts[drill.part].means}</span>
              </p>
              {drill.running && may(role, 'administer') && (
                <Button disabled={end.isPending} onClick={() => end.mutate(drill.id)}>
                  End it now
                </Button>
              )}
            </div>
            {end.error !== null && (
              <p role="alert" className="mb-3 text-bad">
                {end.error.message}
              </p>
            )}
            <div className="mb-4 grid grid-cols-2 gap-x-6 gap-y-4 sm:grid-cols-4">
              <Figure
                name="Expire"
                value={formatNumber(drill.running ? drill.will_expire : drill.expired)}
                note={drill.running ? 'until it is over' : 'were left out'}
                means={<p>Steps that are too old to be sent once it is over: they are left out, with that reason.</p>}
              />
              <Figure
                name="Released"
                value={formatNumber(drill.released)}
                means={<p>Messages that were due before it was over, and went out after it.</p>}
              />
              <Figure
                name="Busiest minute"
                value={formatNumber(drill.busiest_minute)}
                note={drill.waves.catch_up_per_minute === null ? 'no limit is set' : `of ${formatNumber(drill.waves.catch_up_per_minute)} at most`}
                means={<p>The most late messages that went out in one minute after it: no blast.</p>}
              />
              <Figure
                name="Sent twice"
                value={<span className={drill.sent_twice > 0 ? 'text-bad' : ''}>{formatNumber(drill.sent_twice)}</span>}
                note={`${formatNumber(drill.sent_during)} sent meanwhile`}
                means={<p>Steps that a provider accepted more than once since it began, counted from what happened. It must be 0.</p>}
              />
            </div>
            <WavesPicture of={drill.waves} label="Overdue behind, due ahead, of those whom it reaches" />
          </>
        )}
      </Answer>
    </div>
  );
}

function Ask({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [part, setPart] = useState<Drill['part']>('provider');
  const [channel, setChannel] = useState('');
  const [minutes, setMinutes] = useState('15');
  const [share, setShare] = useState('10');
  const start = useAction((api, wish: Parameters<ReturnType<typeof outageDrills>['start']>[0]) => outageDrills(api).start(wish));
  return (
    <Dialog title="Practise an outage" open={open} onClose={onClose}>
      <form
        className="mt-2 space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          const by = part === 'provider' && channel !== '' ? { channel: channel as 'email' } : {};
          start.mutate({ part, ...by, minutes: Number(minutes), share_percent: Number(share) }, { onSuccess: onClose });
        }}
      >
        <SelectField
          label="What counts as away"
          value={part}
          onChange={(event) => setPart(event.target.value as Drill['part'])}
          options={Object.entries(parts).map(([value, { name }]) => ({ value, name }))}
        />
        <p className="text-[0.8125rem] text-soft">{parts[part].means}</p>
        {part === 'provider' && (
          <SelectField
            label="Whose messages"
            value={channel}
            onChange={(event) => setChannel(event.target.value)}
            options={[
              { value: '', name: 'Every channel that disturbs people' },
              ...['email', 'sms', 'whatsapp', 'telegram', 'push', 'call', 'crm'].map((value) => ({ value, name: channelName(value) })),
            ]}
          />
        )}
        <TextField
          label="For how many minutes"
          type="number"
          min={1}
          max={240}
          required
          value={minutes}
          onChange={(event) => setMinutes(event.target.value)}
        />
        <TextField
          label="For how many percent of the people"
          type="number"
          min={1}
          max={100}
          required
          value={share}
          onChange={(event) => setShare(event.target.value)}
        />
        <p className="text-[0.8125rem] text-soft">
          Real people get their messages later by it: take all of them on a test store, and a few on one that sells. It is noted in the audit log.
        </p>
        {start.error !== null && (
          <p role="alert" className="text-bad">
            {start.error.message}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button type="button" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="main" disabled={start.isPending}>
            Begin
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
