import { fieldName } from './field-words.ts';
import type { UseMutationResult } from '@tanstack/react-query';
import { useState } from 'react';
import type { Body, Data, RekindleError } from '../../../sdk/index.ts';
import { sequences } from '../../../sdk/index.ts';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Definition } from '../../parts/figure.tsx';
import { formatNumber, plain, sentenceCase } from '../../parts/format.ts';
import { Panel } from '../../parts/panel.tsx';
import { Answer, Empty } from '../../parts/states.tsx';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import type { Form } from './form.ts';

type Preview = Data<'GET /api/sequences/{slug}/preview'>;
type Wish = Body<'POST /api/sequences/{slug}/publish'>;
export type Running = 'stay' | 'move' | 'exit';

const tones: Record<'added' | 'removed' | 'changed', Tone> = { added: 'good', removed: 'bad', changed: 'warn' };

/** What publishing the draft changes, for whom, and the button that does it. */
export function PublishPanel({ form, dirty, disabled, onDone }: { form: Form; dirty: boolean; disabled: boolean; onDone: () => void }) {
  const publish = useAction((api, given: Wish) => sequences(api).publish(form.slug, given));
  const found = useStoreQuery(
    ['publish-preview', form.slug, form.draft, form.base_version],
    (api, signal) => sequences(api).preview(form.slug, { signal }),
    {
      // While it is being published the draft goes, and with it what could be compared.
      enabled: form.draft !== null && !dirty && !publish.isPending,
      live: true,
    },
  );
  if (dirty)
    return (
      <Panel title="Publish">
        <Empty title="Save the draft first">Then this page shows what publishing it changes, and for how many people.</Empty>
      </Panel>
    );
  if (form.draft === null)
    return (
      <Panel title="Publish">
        <Empty title="There is nothing to publish">What you see is in use. Change something and save it.</Empty>
      </Panel>
    );
  return <Answer of={found}>{(preview) => <Changes {...{ preview, disabled, publish, onDone }} />}</Answer>;
}

interface Publishing {
  preview: Preview;
  publish: UseMutationResult<unknown, RekindleError, Wish>;
  onDone: () => void;
}

function Changes({ preview, disabled, publish, onDone }: Publishing & { disabled: boolean }) {
  const { steps, texts, settings, draft } = preview;
  const errors = draft.findings.filter(({ severity }) => severity === 'error');
  const isFirst = preview.base_version === 0;
  return (
    <div className="space-y-5">
      {draft.findings.length > 0 && (
        <Panel title="What the check found" note="Rehearsed at every hour of a week.">
          <ul className="space-y-1.5">
            {draft.findings.map(({ line, severity, message }) => (
              <li key={`${line} ${message}`} className="flex items-baseline gap-2">
                <Badge tone={severity === 'error' ? 'bad' : 'warn'}>{severity === 'error' ? 'must be mended' : 'worth a look'}</Badge>
                <span>{message}</span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      <Panel
        title="Whom it changes what for"
        note={
          isFirst
            ? 'Nothing was published before, so nobody is in it yet.'
            : `${formatNumber(preview.open_enrollments)} people are in this sequence now. Each row is a step that changes; each number is people.`
        }
        flush
      >
        {steps.length === 0 ? <Empty title="No step changes" /> : <Matrix of={preview} />}
      </Panel>
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <Panel title="Texts">
          {texts.length === 0 ? (
            <p className="text-soft">No text changes.</p>
          ) : (
            <ul className="space-y-1">
              {texts.map(({ name, change }) => (
                <li key={name} className="flex items-baseline gap-2 break-all">
                  <Badge tone={tones[change]}>{change}</Badge> {sentenceCase(plain(name.replace(/^.*\//, '')))}
                </li>
              ))}
            </ul>
          )}
        </Panel>
        <Panel title="Settings of the sequence">
          {settings.length === 0 ? (
            <p className="text-soft">No setting changes.</p>
          ) : (
            <ul className="space-y-1">
              {settings.map((one) => (
                <FieldChange key={one.field} of={one} />
              ))}
            </ul>
          )}
        </Panel>
      </div>
      {!disabled && <Publish {...{ preview, publish, onDone }} blocked={errors.length > 0} />}
    </div>
  );
}

const columns = [
  {
    key: 'before',
    name: 'Have it before them',
    means: 'People who have not come to this step yet. Of an added step: those who would get it, were they moved to the new version.',
  },
  { key: 'at', name: 'Wait for it', means: 'People whose next step this is.' },
  { key: 'past', name: 'Are past it', means: 'People who have had this step, or for whom it was left out. What they got does not change.' },
] as const;

/** Before, waiting and past, by what changes: the darker, the more people. */
function Matrix({ of: { steps } }: { of: Preview }) {
  const most = Math.max(1, ...steps.flatMap(({ before, at, past }) => [before, at, past]));
  return (
    <div className="overflow-x-auto border-t border-line" role="region" aria-label="Whom it changes what for" tabIndex={0}>
      <table className="w-full">
        <thead className="bg-sunken/60 text-xs text-soft">
          <tr>
            <th scope="col" className="px-4 py-2 text-start font-medium">
              Step
            </th>
            {columns.map(({ key, name, means }) => (
              <th key={key} scope="col" className="px-4 py-2 text-end font-medium">
                <Definition of={name}>
                  <p>{means}</p>
                </Definition>
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {steps.map((step) => (
            <tr key={step.step}>
              <th scope="row" className="px-4 py-2 text-start font-normal">
                <span className="flex flex-wrap items-baseline gap-2">
                  <span className="font-medium">{sentenceCase(plain(step.step))}</span>
                  <Badge tone={tones[step.change]}>{step.change}</Badge>
                </span>
                <ul className="mt-0.5">
                  {step.fields.map((field) => (
                    <FieldChange key={`${field.field} ${JSON.stringify(field.after)}`} of={field} />
                  ))}
                </ul>
              </th>
              {columns.map(({ key }) => (
                <td key={key} className="relative px-4 py-2 text-end align-top text-base font-semibold">
                  <span aria-hidden="true" className="absolute inset-1 rounded bg-accent" style={{ opacity: (0.3 * step[key]) / most }} />
                  <span className="relative">{formatNumber(step[key])}</span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function FieldChange({ of: { field, before, after } }: { of: { field: string; before?: unknown; after?: unknown } }) {
  return (
    <li className="text-[0.8125rem] text-soft">
      {sentenceCase(fieldName(field))}
      {field === 'text' ? ' is written anew' : `: ${valueOf(before)} → ${valueOf(after)}`}
    </li>
  );
}

const valueOf = (value: unknown): string =>
  value === null || value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);

const choices = [
  { value: 'stay', name: 'They stay on the version that they began with', note: () => 'Only those who come from now on get the new one.' },
  {
    value: 'move',
    name: 'They go on in the new version',
    note: (movable: number, open: number) =>
      `${formatNumber(movable)} of ${formatNumber(open)}, at their next decision, behind the steps that they have had. Nobody gets a step twice.`,
  },
  { value: 'exit', name: 'They leave the sequence', note: () => 'Nothing more is sent to them by it.' },
] as const;

/** What becomes of those who are in it. */
export function RunningChoice({
  value,
  onChange,
  open,
  movable,
}: {
  value: Running | null;
  onChange: (value: Running) => void;
  open: number;
  movable: number | null;
}) {
  return (
    <fieldset className="mt-3 space-y-2">
      <legend className="mb-1 font-medium">
        What becomes of the {open === 1 ? 'one person who is' : `${formatNumber(open)} people who are`} in it?
      </legend>
      {choices.map((choice) => (
        <label key={choice.value} className="flex items-start gap-2">
          <input
            type="radio"
            name="running"
            value={choice.value}
            checked={value === choice.value}
            onChange={() => onChange(choice.value)}
            className="mt-1 size-4 accent-accent"
          />
          <span>
            {choice.name}
            <span className="block text-[0.8125rem] text-soft">
              {choice.value === 'move' && movable === null
                ? 'At their next decision, behind the steps that they have had.'
                : choice.note(movable ?? 0, open)}
            </span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function Publish({ preview, publish, blocked, onDone }: Publishing & { blocked: boolean }) {
  const [asked, setAsked] = useState(false);
  const needed = preview.choice_needed.length > 0;
  const [running, setRunning] = useState<Running | null>(needed ? null : 'stay');
  const wish: Wish = {
    base_version: preview.base_version,
    draft: preview.draft.source_hash,
    ...(running === null ? {} : { running }),
  };
  return (
    <div className="flex flex-wrap items-center gap-3">
      <Button look="main" disabled={blocked} onClick={() => setAsked(true)}>
        Publish …
      </Button>
      {blocked && <p className="text-[0.8125rem] text-soft">What must be mended stands above.</p>}
      <Dialog title="Publish it?" open={asked} onClose={() => setAsked(false)}>
        <p className="mt-2 text-soft">
          Whoever comes into the sequence from now on gets what you have written. It becomes version {preview.base_version + 1}, and you can go back
          to an earlier one at any time.
        </p>
        {needed && (
          <p className="mt-2 text-warn">
            {preview.choice_needed.map(({ step, waiting }) => `${formatNumber(waiting)} wait for “${plain(step)}”`).join(', ')}, which you take out:
            say what becomes of them.
          </p>
        )}
        {preview.open_enrollments > 0 && (
          <RunningChoice value={running} onChange={setRunning} open={preview.open_enrollments} movable={preview.movable} />
        )}
        {publish.error !== null && (
          <p role="alert" className="mt-2 text-bad">
            {publish.error.message}
          </p>
        )}
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={() => setAsked(false)}>Cancel</Button>
          <Button
            look="main"
            disabled={publish.isPending || (needed && running === null)}
            // Once it is published there is no draft, and this part is gone: its own callbacks would not be called.
            onClick={() => void publish.mutateAsync(wish).then(onDone, () => {})}
          >
            Publish
          </Button>
        </div>
      </Dialog>
    </div>
  );
}
