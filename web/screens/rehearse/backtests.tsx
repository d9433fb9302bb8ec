import { useState } from 'react';
import type { Item } from '../../../sdk/index.ts';
import { backtests } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Select } from '../../parts/choice.tsx';
import { formatNumber } from '../../parts/format.ts';
import { Panel } from '../../parts/panel.tsx';
import { Answer, Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import { Report } from './report.tsx';

type Backtest = Item<'GET /api/backtests'>;

const spans = [30, 90, 180, 365].map((days) => ({ value: String(days), name: `${days} days` }));

/** What the sequence would have done over the store's own history: how many messages, who is in two sequences at once, what keeps them back. */
export function Backtests({ sequence }: { sequence: string }) {
  const { role } = useStore();
  const [days, setDays] = useState('90');
  const list = useStoreQuery(['backtests'], (api, signal) => backtests(api).list({ limit: 100 }, { signal }), { live: true, everyMs: 2_000 });
  const start = useAction((api, span: number) => backtests(api).start({ sequence, days: span }));
  const own = list.data?.data.filter((one) => one.sequence === sequence) ?? [];
  const running = list.data?.data.find(({ state }) => state === 'running');
  return (
    <Panel
      title="Over your own history"
      note="Everybody’s stored events, played through the version in use by what decides real messages. Nothing is sent or changed."
      aside={
        may(role, 'edit') && (
          <span className="flex flex-wrap items-center gap-2">
            <Select label="The last" value={days} options={spans} onChange={setDays} />
            <Button disabled={start.isPending || running !== undefined} onClick={() => start.mutate(Number(days))}>
              Play it
            </Button>
          </span>
        )
      }
    >
      {start.error !== null && (
        <p role="alert" className="pb-3 text-bad">
          {start.error.message}
        </p>
      )}
      {running !== undefined && running.sequence !== sequence && <p className="pb-3 text-soft">Another sequence is being played: one at a time.</p>}
      <Answer of={list}>
        {() => {
          const [latest, ...older] = own;
          if (latest === undefined)
            return (
              <Empty title="Not played yet">
                It says how many messages would have gone out, to whom, and whether anybody would have got one after buying.
              </Empty>
            );
          return (
            <div className="space-y-4">
              <One of={latest} />
              {older.slice(0, 5).map((one) => (
                <details key={one.id}>
                  <summary className="cursor-pointer text-[0.8125rem] text-accent">
                    {one.days} days, played <Time at={one.started_at} />
                  </summary>
                  <div className="mt-3">
                    <One of={one} />
                  </div>
                </details>
              ))}
            </div>
          );
        }}
      </Answer>
    </Panel>
  );
}

function One({ of }: { of: Backtest }) {
  if (of.state === 'running')
    return (
      <div role="status">
        <progress aria-label="Played so far" className="w-full accent-(--accent)" value={of.progress} max={1} />
        <p className="text-soft">Being played over {formatNumber(of.days)} days</p>
      </div>
    );
  if (of.report === null)
    return (
      <p role="alert" className="text-bad">
        It could not be played to its end{of.error === null ? '' : `: ${of.error}`}.
      </p>
    );
  return (
    <div className="space-y-4">
      <p className="text-[0.8125rem] text-soft">
        <Badge>{of.version === null ? 'a file' : `version ${of.version}`}</Badge> {formatNumber(of.days)} days, played <Time at={of.started_at} />
      </p>
      <Report of={of.report} />
    </div>
  );
}
