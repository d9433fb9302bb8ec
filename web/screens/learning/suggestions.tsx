import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Data } from '../../../sdk/index.ts';
import { suggestions } from '../../../sdk/index.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { formatNumber, formatPercent, plain } from '../../parts/format.ts';
import { Panel } from '../../parts/panel.tsx';
import { Answer, Empty } from '../../parts/states.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import { within } from './within.ts';

type Suggestion = Data<'GET /api/suggestions'>['data'][number];

/** Comparisons that the results suggest. Each is a draft until somebody approves it. */
export function Suggestions() {
  const { slug: store, role } = useStore();
  const [asked, setAsked] = useState<Suggestion | null>(null);
  const [done, setDone] = useState('');
  const found = useStoreQuery(['suggestions'], (api, signal) => suggestions(api).list({ signal }));
  const approve = useAction((api, id: string) => suggestions(api).approve(id));
  const close = () => {
    approve.reset();
    setAsked(null);
  };
  return (
    <Panel
      title="What to try"
      note="Drafts, each with its evidence. Approving one begins a comparison by chance for whoever begins from then on."
      flush
    >
      {done !== '' && (
        <p role="status" className="px-4 pb-2 text-good">
          {done}
        </p>
      )}
      <Answer of={found}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="Nothing is suggested">No sequence loses enough people at one step, or all of them compare something already.</Empty>
          ) : (
            <ul className="divide-y divide-line border-t border-line">
              {data.map((one) => (
                <li key={one.id} className="flex flex-wrap items-start justify-between gap-x-6 gap-y-2 px-4 py-3">
                  <div className="min-w-0 flex-1 basis-72">
                    <p>
                      <Link to="/$store/sequences/$slug" params={{ store, slug: one.sequence }} className="font-medium hover:underline">
                        {one.name}
                      </Link>
                      {`: ${one.change}`}
                    </p>
                    <p className="text-[0.8125rem] text-soft">
                      {`After ${plain(one.step)}, ${formatPercent(one.evidence.rate)} left (${within(one.evidence.interval)}, ${formatNumber(one.evidence.left)} of ${formatNumber(one.evidence.n)}). ${one.evidence.advice}`}
                    </p>
                    <details className="mt-1 text-[0.8125rem]">
                      <summary className="cursor-pointer text-accent">The draft</summary>
                      <pre tabIndex={0} className="mt-1 max-h-80 overflow-auto rounded-md bg-sunken p-3 font-mono text-xs" dir="ltr">
                        {one.draft}
                      </pre>
                    </details>
                  </div>
                  {may(role, 'edit') && <Button onClick={() => setAsked(one)}>Approve</Button>}
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
      <Dialog title="Begin this comparison?" open={asked !== null} onClose={close}>
        <p className="mt-2">{asked?.change}</p>
        <p className="mt-2 text-[0.8125rem] text-soft">
          {`It is published as the next version of ${asked?.name ?? ''}, for whoever begins from now on. It is decided by: ${asked?.target ?? ''} It must not make worse: ${asked?.counter_metrics.map(plain).join(', ') ?? ''}. The version before can be published again.`}
        </p>
        {approve.error !== null && (
          <p role="alert" className="mt-2 text-bad">
            {approve.error.message}
          </p>
        )}
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={close}>Cancel</Button>
          <Button
            look="main"
            disabled={approve.isPending}
            onClick={() =>
              asked !== null &&
              approve.mutate(asked.id, {
                onSuccess: ({ sequence, version }) => {
                  setDone(`${plain(sequence)} is version ${version}. The test begins with the first person.`);
                  close();
                },
              })
            }
          >
            Approve
          </Button>
        </div>
      </Dialog>
    </Panel>
  );
}
