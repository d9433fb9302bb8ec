import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { Data } from '../../../sdk/index.ts';
import { campaigns, RekindleError, unwrap } from '../../../sdk/index.ts';
import { Button } from '../../parts/button.tsx';
import { Choice } from '../../parts/choice.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { formatNumber, plain } from '../../parts/format.ts';
import { useStore } from '../../session/session.ts';

type Which = 'not_enrolled' | 'dropped_out';
interface Progress {
  tried: number;
  begun: number;
  refused: Record<string, number>;
}

/** Each part is answered when all of it is done. */
const perRequest = 25;

/** Begins the sequence of a campaign for many of its leads: says for how many first, then goes through them, and says why some were not begun. */
export function EnrollLeads({ of }: { of: Data<'GET /api/campaigns/{id}'> }) {
  const { slug, api } = useStore();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [which, setWhich] = useState<Which>('not_enrolled');
  const [state, setState] = useState<'asked' | 'running' | 'done'>('asked');
  const [progress, setProgress] = useState<Progress>({ tried: 0, begun: 0, refused: {} });
  const [fault, setFault] = useState<string | null>(null);
  const stopped = useRef(false);
  const count = of.toEnroll[which];
  const close = () => {
    // What was begun stays; the rest is not tried.
    stopped.current = true;
    setOpen(false);
    setState('asked');
    setFault(null);
  };
  const begin = async () => {
    stopped.current = false;
    setState('running');
    let sum: Progress = { tried: 0, begun: 0, refused: {} };
    setProgress(sum);
    let after: string | null = null;
    try {
      do {
        const part: Data<'POST /api/campaigns/{id}/enroll'> = unwrap(
          await campaigns(api).enroll(of.id, { which, limit: perRequest, ...(after === null ? {} : { after }) }),
        );
        sum = added(sum, part);
        setProgress(sum);
        after = part.next;
      } while (after !== null && !stopped.current);
    } catch (error) {
      if (!(error instanceof RekindleError)) throw error;
      setFault(error.message);
    }
    if (!stopped.current) setState('done');
    await client.invalidateQueries({ queryKey: ['store', slug] });
  };
  if (of.status !== 'ACTIVE' || of.sequence === null) return null;
  return (
    <>
      <Button onClick={() => setOpen(true)}>Begin for many</Button>
      <Dialog title={`Begin “${plain(of.sequence)}” for the leads of this campaign`} open={open} onClose={close}>
        <div className="mt-3 space-y-3">
          {state === 'asked' && (
            <>
              <Choice
                label="Which"
                value={which}
                options={[
                  { value: 'not_enrolled', name: 'Not begun yet' },
                  { value: 'dropped_out', name: 'Dropped out' },
                ]}
                onChange={setWhich}
              />
              <p>
                <strong>{count === 1 ? 'One lead' : `${formatNumber(count)} leads`}</strong>{' '}
                <span className="text-soft">
                  {which === 'not_enrolled' ? 'for whom it has never begun.' : 'who were in it, and left it or came to its end without converting.'}{' '}
                  Each is checked by the rules for a single one: consent, other sequences, how soon somebody may be in it again.
                </span>
              </p>
            </>
          )}
          {state !== 'asked' && <Result of={progress} whole={count} isOver={state === 'done'} />}
          {fault !== null && (
            <p role="alert" className="text-bad">
              {fault}
            </p>
          )}
        </div>
        <div className="mt-4 flex justify-end gap-2">
          {state === 'done' ? (
            <Button look="main" onClick={close}>
              Done
            </Button>
          ) : (
            <>
              <Button onClick={close}>{state === 'running' ? 'Stop here' : 'Cancel'}</Button>
              <Button look="main" disabled={state === 'running' || count === 0} onClick={() => void begin()}>
                Begin for {formatNumber(count)}
              </Button>
            </>
          )}
        </div>
      </Dialog>
    </>
  );
}

function Result({ of: { tried, begun, refused }, whole, isOver }: { of: Progress; whole: number; isOver: boolean }) {
  return (
    <div role="status" className="space-y-2">
      <progress
        aria-label="Leads tried"
        className="w-full accent-(--accent)"
        value={isOver ? 1 : tried}
        max={isOver ? 1 : Math.max(whole, tried, 1)}
      />
      <p>
        Begun for {formatNumber(begun)} of {formatNumber(tried)} {isOver ? '' : 'so far'}
      </p>
      {Object.keys(refused).length > 0 && (
        <ul className="text-[0.8125rem] text-soft">
          {Object.entries(refused).map(([reason, count]) => (
            <li key={reason}>
              Not begun, {plain(reason)}: {formatNumber(count)}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function added(sum: Progress, { results, enrolled }: Data<'POST /api/campaigns/{id}/enroll'>): Progress {
  const refused = { ...sum.refused };
  for (const { reason } of results) if (reason !== null) refused[reason] = (refused[reason] ?? 0) + 1;
  return { tried: sum.tried + results.length, begun: sum.begun + enrolled, refused };
}
