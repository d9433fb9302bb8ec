import { readable } from '../../parts/words.ts';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { Data } from '../../../sdk/index.ts';
import { suggestions } from '../../../sdk/index.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { formatNumber, formatPercent, plain } from '../../parts/format.ts';
import { inputLook, lineOf } from '../../parts/labelled.tsx';
import { Panel } from '../../parts/panel.tsx';
import { useSequenceNames } from '../../parts/sequence-names.ts';
import { Answer, Empty } from '../../parts/states.tsx';
import { useTeamNames } from '../../parts/team-names.ts';
import { Time } from '../../parts/time.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import { within } from './within.ts';

type Suggestion = Data<'GET /api/suggestions'>['data'][number];

/** Comparisons that the results suggest. Each is a draft until somebody approves it. */
export function Suggestions() {
  const { slug: store, role } = useStore();
  const [asked, setAsked] = useState<Suggestion | null>(null);
  const [unwanted, setUnwanted] = useState<Suggestion | null>(null);
  const [done, setDone] = useState('');
  const found = useStoreQuery(['suggestions'], (api, signal) => suggestions(api).list({ signal }));
  const [text, setText] = useState('');
  const approve = useAction((api, { id, text: written }: Suggestion) => suggestions(api).approve(id, written === null ? {} : { text }));
  const draft = useAction((api, id: string) => suggestions(api).draft(id));
  const sequenceName = useSequenceNames();
  const close = () => {
    approve.reset();
    draft.reset();
    setAsked(null);
  };
  const ask = (one: Suggestion) => {
    setText(one.text?.now ?? '');
    setAsked(one);
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
            <Empty title="Nothing is suggested">No figures are clear enough, or all sequences compare something already.</Empty>
          ) : (
            <ul className="divide-y divide-line border-t border-line">
              {data.map((one) => (
                <li key={one.id} className="flex flex-wrap items-start justify-between gap-x-6 gap-y-2 px-4 py-3">
                  <div className="min-w-0 flex-1 basis-72">
                    <p>
                      <Link to="/$store/sequences/$slug" params={{ store, slug: one.sequence }} className="font-medium hover:underline">
                        {one.name}
                      </Link>
                      {`: ${readable(one.change)}`}
                    </p>
                    <p className="text-[0.8125rem] text-soft">
                      {one.evidence.left === null
                        ? one.evidence.advice
                        : `After ${plain(one.step)}, ${formatPercent(one.evidence.rate)} left (${within(one.evidence.interval)}, ${formatNumber(one.evidence.left)} of ${formatNumber(one.evidence.n)}). ${one.evidence.advice}`}
                    </p>
                    <details className="mt-1 text-[0.8125rem]">
                      <summary className="cursor-pointer text-accent">The draft</summary>
                      <pre tabIndex={0} className="mt-1 max-h-80 overflow-auto rounded-md bg-sunken p-3 font-mono text-xs" dir="ltr">
                        {one.draft}
                      </pre>
                    </details>
                  </div>
                  {may(role, 'edit') && (
                    <span className="flex gap-2">
                      <Button onClick={() => setUnwanted(one)}>Dismiss</Button>
                      <Button onClick={() => ask(one)}>Approve</Button>
                    </span>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
      <Dismissed />
      <Dialog title="Begin this comparison?" open={asked !== null} onClose={close}>
        <p className="mt-2">{asked?.change}</p>
        <p className="mt-2 text-[0.8125rem] text-soft">
          {`It is published as the next version of ${asked?.name ?? ''}, for whoever begins from now on. It is decided by: ${asked?.target ?? ''} It must not make worse: ${asked?.counter_metrics.map(plain).join(', ') ?? ''}. The version before can be published again.`}
        </p>
        {asked !== null && asked.text !== null && (
          <div className="mt-3 text-[0.8125rem]">
            <label className="block">
              <span className="mb-1 block font-medium">{`The other text, with “${asked.text.phrase}” in it`}</span>
              <textarea value={text} onChange={({ target }) => setText(target.value)} rows={8} dir="auto" className={`${inputLook} font-mono`} />
            </label>
            <span className="mt-2 flex flex-wrap items-center gap-3">
              <Button
                disabled={draft.isPending}
                onClick={() => asked !== null && draft.mutate(asked.id, { onSuccess: (made) => made.by === 'model' && setText(made.text ?? '') })}
              >
                Have a model write it
              </Button>
              {draft.data?.by === 'template' && (
                <span role="status">{`No model wrote it (${plain(draft.data.reason ?? '')}). ${draft.data.refused.join('; ')}`}</span>
              )}
            </span>
            {draft.error !== null && (
              <p role="alert" className="mt-2 text-bad">
                {draft.error.message}
              </p>
            )}
          </div>
        )}
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
              approve.mutate(asked, {
                onSuccess: ({ sequence, version }) => {
                  setDone(`“${sequenceName(sequence)}” is version ${version}. The test begins with the first person.`);
                  close();
                },
              })
            }
          >
            Approve
          </Button>
        </div>
      </Dialog>
      <Dialog title="Dismiss this suggestion?" open={unwanted !== null} onClose={() => setUnwanted(null)}>
        {unwanted !== null && (
          <Dismiss
            suggestion={unwanted}
            onClose={() => setUnwanted(null)}
            onDone={() => {
              setDone(`Dismissed for ${unwanted.name}. It comes back only when its figures have changed.`);
              setUnwanted(null);
            }}
          />
        )}
      </Dialog>
    </Panel>
  );
}

function Dismiss({ suggestion, onClose, onDone }: { suggestion: Suggestion; onClose: () => void; onDone: () => void }) {
  const dismiss = useAction((api, reason: string) => suggestions(api).dismiss(suggestion.id, { reason }));
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    dismiss.mutate(lineOf(new FormData(event.currentTarget), 'reason'), { onSuccess: onDone });
  };
  return (
    <form onSubmit={submit} className="mt-2 space-y-4">
      <p>{suggestion.change}</p>
      <label className="block text-[0.8125rem]">
        <span className="mb-1 block font-medium">Why not</span>
        <input name="reason" required maxLength={500} pattern=".*\S.*" autoComplete="off" className={inputLook} />
        <span className="mt-1 block text-soft">
          For colleagues who ask later. It is suggested again only when twice as many people are behind it, or when the figures have clearly changed.
        </span>
      </label>
      {dismiss.error !== null && (
        <p role="alert" className="text-bad">
          {dismiss.error.message}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="main" disabled={dismiss.isPending}>
          Dismiss
        </Button>
      </div>
    </form>
  );
}

/** What somebody did not want to try: who, when and why. */
function Dismissed() {
  const { slug: store } = useStore();
  const names = useTeamNames();
  const sequenceName = useSequenceNames();
  const { data: found } = useStoreQuery(['suggestions', 'dismissed'], (api, signal) => suggestions(api).dismissed({ signal }));
  if (found === undefined || found.data.length === 0) return null;
  return (
    <details className="border-t border-line px-4 py-2.5 text-[0.8125rem]">
      <summary className="cursor-pointer text-accent">{`${formatNumber(found.data.length)} dismissed`}</summary>
      <ul className="mt-2 space-y-2">
        {found.data.map(({ sequence, step, kind, dismissed_at: at, dismissed_by: by, reason, n, rate }) => (
          <li key={`${sequence} ${step} ${kind}`}>
            <p>
              <Link to="/$store/sequences/$slug" params={{ store, slug: sequence }} className="font-medium hover:underline">
                {sequenceName(sequence)}
              </Link>
              {`: ${tried(kind, plain(step))}`}
            </p>
            <p>{`“${reason}”`}</p>
            <p className="text-soft">
              {names.get(by) ?? plain(by)}, <Time at={at} />
              {`; ${restedOn(kind, rate, n)}`}
            </p>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Of a dismissal: `phrase ` and the words. */
const phraseOf = (kind: string): string | null => (kind.startsWith('phrase ') ? kind.slice('phrase '.length) : null);

/** What a suggestion would have compared, and where. */
function tried(kind: string, step: string): string {
  const phrase = phraseOf(kind);
  if (phrase !== null) return `a text with “${phrase}”, for ${step}`;
  if (kind === 'delay_test') return `another delay, for ${step}`;
  if (kind === 'hours') return `another hour, for ${step}`;
  return `${afterLoss[kind] ?? plain(kind)}, after ${step}`;
}

/** The figure that it rested on when it was dismissed. */
function restedOn(kind: string, rate: number, n: number): string {
  const [share, of] = [formatPercent(rate), formatNumber(n)];
  if (phraseOf(kind) !== null) return `texts with it did better by ${share} then, in ${of} tests`;
  if (kind === 'delay_test') return `${share} of ${of} people with the better delay had ordered then`;
  if (kind === 'hours') return `${share} of ${of} messages at that hour had sold then`;
  return `${share} of ${of} had left there then`;
}

/** What is suggested where people leave. */
const afterLoss: Readonly<Record<string, string>> = {
  shorter: 'a shorter sequence',
  channel: 'another channel',
  hour: 'another hour',
  delay: 'another delay',
};
