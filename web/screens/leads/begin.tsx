import { useState } from 'react';
import type { Data, Result } from '../../../sdk/index.ts';
import { campaigns, enrollments, sequences } from '../../../sdk/index.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { plain } from '../../parts/format.ts';
import { inputLook, TextField } from '../../parts/labelled.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';

type Lead = Data<'GET /api/leads/{id}'>;
type Entered = Data<'POST /api/campaigns/{id}/leads'>;
type Enrolled = Data<'POST /api/enrollments'>;

/** Begins a sequence for a lead by hand, or puts them into a campaign. All checks of one that begins by itself hold. */
export function BeginFor({ lead, onSaid }: { lead: Lead; onSaid: (said: string) => void }) {
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <Button look="main" onClick={() => setOpen(true)}>
        Begin a sequence
      </Button>
      <Dialog title="Begin a sequence" open={open} onClose={close}>
        <Form
          lead={lead}
          onClose={close}
          onSaid={(said) => {
            onSaid(said);
            close();
          }}
        />
      </Dialog>
    </>
  );
}

function Form({ lead, onClose, onSaid }: { lead: Lead; onClose: () => void; onSaid: (said: string) => void }) {
  const { role } = useStore();
  const [chosen, setChosen] = useState('');
  const [note, setNote] = useState('');
  const list = useStoreQuery(['sequences'], (api, signal) => sequences(api).list({ limit: 200 }, { signal }));
  // Putting somebody into a campaign changes the campaign.
  const open = useStoreQuery(['campaigns', 'ACTIVE'], (api, signal) => campaigns(api).list({ status: 'ACTIVE', limit: 200 }, { signal }), {
    enabled: may(role, 'edit'),
  });
  const begin = useAction(async (api, { kind, which }: { kind: string; which: string }): Promise<Result<Entered | Enrolled>> => {
    const why = note.trim() === '' ? {} : { note: note.trim() };
    return kind === 'campaign'
      ? campaigns(api).addLead(which, { lead: lead.id, ...why })
      : enrollments(api).create({ subject_id: lead.id, sequence: which, ...why });
  });
  const offered = (list.data?.data ?? []).filter(({ about, status, paused }) => about === 'lead' && status === 'ACTIVE' && !paused);
  const [kind = '', which = ''] = chosen.split(' ');
  return (
    <div className="mt-3 space-y-4">
      <label className="block text-[0.8125rem]">
        <span className="mb-1 block font-medium">Which</span>
        <select className={inputLook} value={chosen} onChange={(event) => setChosen(event.target.value)}>
          <option value="">choose one</option>
          {(open.data?.data.length ?? 0) > 0 && (
            <optgroup label="Of a campaign, by its hours and pace">
              {open.data?.data.map(({ id, name }) => (
                <option key={id} value={`campaign ${id}`}>
                  {name}
                </option>
              ))}
            </optgroup>
          )}
          <optgroup label="By itself">
            {offered.map(({ slug, name }) => (
              <option key={slug} value={`sequence ${slug}`}>
                {name}
              </option>
            ))}
          </optgroup>
        </select>
      </label>
      <TextField label="Why" hint="For the audit log." value={note} maxLength={500} onChange={(event) => setNote(event.target.value)} />
      <p className="text-[0.8125rem] text-soft">
        Its steps count from now. Each message is still checked: consent, quiet hours, how often they may hear from you.
      </p>
      {begin.error !== null && (
        <p role="alert" className="text-bad">
          {begin.error.message}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button
          look="main"
          disabled={chosen === '' || begin.isPending}
          onClick={() => begin.mutate({ kind, which }, { onSuccess: (done) => onSaid(sentenceOf(done)) })}
        >
          Begin
        </Button>
      </div>
    </div>
  );
}

const sentenceOf = (done: Entered | Enrolled): string => {
  if (!('lead' in done)) return 'It has begun.';
  if (done.reason === null) return 'They are in the campaign, and its sequence has begun.';
  return `They are in the campaign. Its sequence was not begun: ${plain(done.reason)}.`;
};

export function BeginAgain({ enrollment, onSaid }: { enrollment: string; onSaid: (said: string) => void }) {
  const [open, setOpen] = useState(false);
  const again = useAction((api, id: string) => enrollments(api).reEnroll(id, null));
  return (
    <>
      <Button onClick={() => setOpen(true)}>Begin again</Button>
      <Dialog title="Begin this sequence again?" open={open} onClose={() => setOpen(false)}>
        <p className="mt-2 text-soft">From its first step, counted from now. The rules of how soon somebody may be in it again hold.</p>
        {again.error !== null && (
          <p role="alert" className="mt-2 text-bad">
            {again.error.message}
          </p>
        )}
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={() => setOpen(false)}>Cancel</Button>
          <Button
            look="main"
            disabled={again.isPending}
            onClick={() =>
              again.mutate(enrollment, {
                onSuccess: () => {
                  onSaid('It has begun again.');
                  setOpen(false);
                },
              })
            }
          >
            Begin again
          </Button>
        </div>
      </Dialog>
    </>
  );
}
