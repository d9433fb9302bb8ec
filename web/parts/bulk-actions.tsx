import { useState } from 'react';
import type { Body, Data } from '../../sdk/index.ts';
import { bulkActions } from '../../sdk/index.ts';
import { may, useStore } from '../session/session.ts';
import { useStoreQuery } from '../session/store-query.ts';
import { useAction } from '../session/use-action.ts';
import { Button } from './button.tsx';
import { Choice } from './choice.tsx';
import { Dialog } from './dialog.tsx';
import { formatNumber, plain } from './format.ts';
import { TextField } from './labelled.tsx';
import { Answer, Loading } from './states.tsx';

type Filter = Body<'POST /api/bulk-actions'>['filter'];
type Done = Data<'GET /api/bulk-actions/{id}'>;
type Action = 'pause' | 'resume' | 'stop';

const actions: Record<Action, { name: string; what: string }> = {
  pause: { name: 'Hold', what: 'Nothing is sent to them until somebody resumes it. Due times stay as they are.' },
  resume: { name: 'Resume', what: 'It goes on. Steps that became too old meanwhile are left out, and what is overdue goes out bit by bit.' },
  stop: { name: 'Stop', what: 'It ends for good: no further message of it goes out, and it cannot be resumed.' },
};
const choices = (['pause', 'resume', 'stop'] as const).map((value) => ({ value, name: actions[value].name }));

/**
 * The same for everybody whom a list shows with its filter: counted first, and done to no more than were counted.
 * @param about - whom, as it follows "for"
 */
export function BulkActions({ filter, about }: { filter: Filter; about: string }) {
  const { role } = useStore();
  const [open, setOpen] = useState(false);
  const [begun, setBegun] = useState<string | null>(null);
  if (!may(role, 'operate')) return null;
  const close = () => {
    setOpen(false);
    setBegun(null);
  };
  return (
    <>
      <Button onClick={() => setOpen(true)}>For all of them</Button>
      <Dialog title={`For ${about}`} open={open} onClose={close}>
        {begun === null ? <Question filter={filter} onClose={close} onBegun={setBegun} /> : <Progress id={begun} onClose={close} />}
      </Dialog>
    </>
  );
}

function Question({ filter, onClose, onBegun }: { filter: Filter; onClose: () => void; onBegun: (id: string) => void }) {
  const [action, setAction] = useState<Action>('pause');
  const [note, setNote] = useState('');
  const counted = useStoreQuery(['bulk-actions', 'count', filter], (api, signal) =>
    bulkActions(api).start({ action: 'pause', filter, dry_run: true }, { signal }),
  );
  const start = useAction((api, most: number) =>
    bulkActions(api).start({ action, filter, most, ...(note.trim() === '' ? {} : { note: note.trim() }) }),
  );
  return (
    <div className="mt-3 space-y-3">
      <Answer of={counted} loading={<Loading lines={2} />}>
        {(count) =>
          'ended' in count ? (
            <>
              <p>
                <strong>{count.matched === 1 ? 'One person is' : `${formatNumber(count.matched)} people are`} under way</strong>
                {count.ended > 0 && <span className="text-soft">; for {formatNumber(count.ended)} more it has ended, and stays so</span>}.
              </p>
              {count.sequences.length > 1 && (
                <ul className="text-[0.8125rem] text-soft">
                  {count.sequences.map(({ sequence, status, count: of }) => (
                    <li key={`${sequence} ${status}`}>
                      {plain(sequence)}
                      {status === 'PAUSED' ? ', on hold' : ''}: {formatNumber(of)}
                    </li>
                  ))}
                </ul>
              )}
              <Choice label="What" value={action} options={choices} onChange={setAction} />
              <p className="text-soft">{actions[action].what}</p>
              <TextField label="Why" hint="For the audit log." value={note} maxLength={500} onChange={(event) => setNote(event.target.value)} />
              {start.error !== null && (
                <p role="alert" className="text-bad">
                  {start.error.message}
                </p>
              )}
              <div className="flex justify-end gap-2">
                {start.error?.code === 'more_than_counted' && (
                  <Button onClick={() => void counted.refetch().then(() => start.reset())}>Count again</Button>
                )}
                <Button onClick={onClose}>Cancel</Button>
                <Button
                  look={action === 'stop' ? 'danger' : 'main'}
                  disabled={start.isPending || count.matched === 0}
                  onClick={() => start.mutate(count.matched, { onSuccess: (done) => 'id' in done && onBegun(done.id) })}
                >
                  {actions[action].name} {formatNumber(count.matched)}
                </Button>
              </div>
            </>
          ) : null
        }
      </Answer>
    </div>
  );
}

function Progress({ id, onClose }: { id: string; onClose: () => void }) {
  const found = useStoreQuery(['bulk-actions', id], (api, signal) => bulkActions(api).get(id, { signal }), { live: true, everyMs: 1_000 });
  const cancel = useAction((api, which: string) => bulkActions(api).cancel(which));
  return (
    <div className="mt-3 space-y-3">
      <Answer of={found} loading={<Loading lines={2} />}>
        {(action) => (
          <>
            <progress
              aria-label="Done so far"
              className="w-full accent-(--accent)"
              value={action.state === 'running' ? action.examined : 1}
              max={action.state === 'running' ? Math.max(1, action.matched) : 1}
            />
            <p role="status">{sentenceOf(action)}</p>
            {Object.entries(action.refused).map(([reason, count]) => (
              <p key={reason} className="text-[0.8125rem] text-soft">
                Left as it was, {plain(reason)}: {formatNumber(count)}
              </p>
            ))}
            <div className="flex justify-end gap-2">
              {action.state === 'running' && (
                <Button disabled={cancel.isPending} onClick={() => cancel.mutate(id)}>
                  Stop here
                </Button>
              )}
              <Button look="main" onClick={onClose}>
                {action.state === 'running' ? 'Go on without me' : 'Done'}
              </Button>
            </div>
          </>
        )}
      </Answer>
    </div>
  );
}

function sentenceOf({ state, changed, unchanged, examined, matched }: Done): string {
  const sum = `${formatNumber(changed)} changed${unchanged === 0 ? '' : `, ${formatNumber(unchanged)} were so already`}`;
  if (state === 'running') return `${formatNumber(examined)} of ${formatNumber(matched)}: ${sum}`;
  return state === 'cancelled' ? `Stopped after ${formatNumber(examined)} of ${formatNumber(matched)}: ${sum}` : `All done: ${sum}`;
}
