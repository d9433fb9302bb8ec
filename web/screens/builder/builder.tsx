import { getRouteApi, Link, useBlocker } from '@tanstack/react-router';
import { type DragEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { sequences } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Choice } from '../../parts/choice.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { plain, sentenceCase } from '../../parts/format.ts';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Answer, Empty } from '../../parts/states.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import { channelsOf, type Draft, type Faults, type Form, freeId, moveStep, type Step, stepsOf, whenOf, withSteps } from './form.ts';
import { StepPreview } from './preview.tsx';
import { PublishPanel } from './publish.tsx';
import { SettingsOfSequence } from './settings-of-sequence.tsx';
import { channelOptions } from './step-choices.tsx';
import { StepEditor, withNewTexts } from './step-editor.tsx';
import { Versions } from './versions.tsx';

const page = getRouteApi('/$store/sequences/$slug/edit');
/** How long nobody types before what stands there is checked. */
const pauseMs = 400;

/** Where a sequence is written: its steps, what they say, and what publishing it does to those who are in it. */
export function Builder() {
  const { slug } = page.useParams();
  const found = useStoreQuery(['sequence-form', slug], (api, signal) => sequences(api).form(slug, { signal }));
  return <Answer of={found}>{(form) => <Editor key={slug} latest={form} />}</Answer>;
}

const draftOf = ({ said }: Form): Draft => ({ said, texts: {} });
const isSameForm = (a: Form, b: Form) => a.draft === b.draft && a.base_version === b.base_version;

function Editor({ latest }: { latest: Form }) {
  const { slug: store, role } = useStore();
  const { view } = page.useSearch();
  const navigate = page.useNavigate();
  const [seen, setSeen] = useState(latest);
  const [draft, setDraft] = useState(() => draftOf(latest));
  const dirty = draft.said !== seen.said || Object.keys(draft.texts).length > 0;
  const disabled = !may(role, 'edit');
  const load = (form: Form) => {
    setSeen(form);
    setDraft(draftOf(form));
  };
  // Whoever has changed nothing sees what others did.
  useEffect(() => {
    if (!dirty && !isSameForm(seen, latest)) load(latest);
  }, [dirty, seen, latest]);
  const save = useAction((api, given: Draft) =>
    sequences(api).storeForm(seen.slug, { said: { ...given.said }, texts: { ...given.texts }, draft: seen.draft, base_version: seen.base_version }),
  );
  const settled = useSettled(draft);
  const checked = useStoreQuery(
    ['form-check', seen.slug, seen.draft, settled],
    (api, signal) => sequences(api).checkForm(seen.slug, { said: { ...settled.said }, texts: { ...settled.texts } }, { signal }),
    { keep: true },
  );
  const faults = checked.data?.faults ?? [];
  const errors = faults.filter(({ severity }) => severity === 'error').length;
  const isStale = save.error?.code === 'stale_draft' || (dirty && !isSameForm(seen, latest));
  const name = typeof draft.said['name'] === 'string' ? draft.said['name'] : seen.name;
  return (
    <>
      <PageHeader
        title={
          <span className="flex flex-wrap items-center gap-2">
            {name}
            {dirty ? (
              <Badge tone="warn">not saved</Badge>
            ) : seen.draft !== null ? (
              <Badge tone="accent">draft</Badge>
            ) : (
              <Badge tone="good">as published</Badge>
            )}
          </span>
        }
        note={
          <>
            <Link to="/$store/sequences/$slug" params={{ store, slug: seen.slug }} className="text-accent underline">
              Back to the sequence
            </Link>{' '}
            · What is saved is a draft, and changes nothing that runs until it is published.
          </>
        }
      >
        <Choice
          label="Show"
          value={view}
          options={[
            { value: 'steps', name: 'Steps' },
            { value: 'settings', name: 'Settings' },
            { value: 'publish', name: 'Publish' },
            { value: 'versions', name: 'Versions' },
          ]}
          onChange={(value) => void navigate({ search: (old) => ({ ...old, view: value }), replace: true })}
        />
        {!disabled && (
          <Button look="main" disabled={!dirty || save.isPending || isStale} onClick={() => save.mutate(draft, { onSuccess: load })}>
            Save the draft
          </Button>
        )}
      </PageHeader>
      {isStale && (
        <div role="alert" className="mb-5 flex flex-wrap items-center justify-between gap-3 rounded-lg border border-warn/40 bg-warn-soft px-4 py-3">
          <p>
            <span className="font-medium">Somebody else has changed this sequence meanwhile.</span> What you have written cannot be saved over it.
            Copy what you need, then load theirs.
          </p>
          <Button
            onClick={() => {
              save.reset();
              load(latest);
            }}
            disabled={isSameForm(seen, latest)}
          >
            Load theirs
          </Button>
        </div>
      )}
      {save.error !== null && save.error.code !== 'stale_draft' && (
        <div role="alert" className="mb-5 rounded-lg border border-bad/40 bg-bad-soft px-4 py-3">
          <p className="font-medium">It was not saved.</p>
          {(save.error.errors ?? [{ path: '', message: save.error.message }]).map(({ path, message }) => (
            <p key={`${path} ${message}`}>
              {path} {message}
            </p>
          ))}
        </div>
      )}
      <p role="status" className="mb-4 text-[0.8125rem] text-soft">
        {checked.data === undefined || checked.isPlaceholderData
          ? 'Checking …'
          : errors > 0
            ? errors === 1
              ? '1 thing is wrong: it is said at its field.'
              : `${errors} things are wrong: each is said at its field.`
            : faults.length > 0
              ? `Nothing is wrong. ${faults.length} ${faults.length === 1 ? 'thing is' : 'things are'} worth a look.`
              : 'Nothing is wrong.'}
      </p>
      {view === 'steps' && (
        <Steps
          form={seen}
          draft={draft}
          settled={settled}
          faults={faults}
          checked={checked.data !== undefined && !checked.isPlaceholderData}
          disabled={disabled}
          onChange={setDraft}
        />
      )}
      {view === 'settings' && <SettingsOfSequence form={seen} draft={draft} faults={faults} disabled={disabled} onChange={setDraft} />}
      {view === 'publish' && (
        <PublishPanel
          form={seen}
          dirty={dirty}
          disabled={disabled}
          onDone={() => void navigate({ search: (old) => ({ ...old, view: 'versions' }) })}
        />
      )}
      {view === 'versions' && <Versions form={seen} dirty={dirty} disabled={disabled} />}
      <LeaveDialog dirty={dirty} />
    </>
  );
}

/** What somebody has stopped typing at. */
function useSettled(draft: Draft): Draft {
  const [settled, setSettled] = useState(draft);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(draft), pauseMs);
    return () => clearTimeout(timer);
  }, [draft]);
  return settled;
}

function LeaveDialog({ dirty }: { dirty: boolean }) {
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => dirty && current.pathname !== next.pathname,
    enableBeforeUnload: dirty,
    withResolver: true,
  });
  return (
    <Dialog title="Leave without saving?" open={blocker.status === 'blocked'} onClose={() => blocker.reset?.()}>
      <p className="mt-2 text-soft">What you have changed since you saved last would be lost.</p>
      <div className="mt-4 flex justify-end gap-2">
        <Button onClick={() => blocker.reset?.()}>Stay</Button>
        <Button look="danger" onClick={() => blocker.proceed?.()}>
          Leave
        </Button>
      </div>
    </Dialog>
  );
}

interface StepsProps {
  form: Form;
  draft: Draft;
  settled: Draft;
  faults: Faults;
  /** Whether the faults are those of what is settled. */
  checked: boolean;
  disabled: boolean;
  onChange: (draft: Draft) => void;
}

function Steps({ form, draft, settled, faults, checked, disabled, onChange }: StepsProps) {
  const { step: wanted } = page.useSearch();
  const navigate = page.useNavigate();
  const steps = stepsOf(draft);
  const index = Math.max(
    0,
    steps.findIndex(({ id }) => id === wanted),
  );
  const step = steps[index];
  const known = stepsOf(settled).find(({ id }) => id === step?.id);
  const open = (id: string) => void navigate({ search: (old) => ({ ...old, step: id }), replace: true, resetScroll: false });
  return (
    <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,2fr)_minmax(0,5fr)]">
      <StepList {...{ form, draft, faults, disabled, onChange, open }} current={step?.id ?? null} />
      {step === undefined ? (
        <Panel title="No step yet">
          <Empty title="Add the first step">Each says something, by a way and at a time of its own.</Empty>
        </Panel>
      ) : (
        <div className="min-w-0 space-y-5">
          <StepEditor {...{ form, draft, index, step, faults, disabled, onChange }} />
          {known !== undefined && <StepPreview key={step.id} form={form} draft={settled} step={known} faults={checked ? faults : null} />}
        </div>
      )}
    </div>
  );
}

/** The steps in their order: dragged, or moved by the buttons, or by the arrow keys with Alt. */
function StepList({
  form,
  draft,
  faults,
  disabled,
  onChange,
  open,
  current,
}: Omit<StepsProps, 'settled' | 'checked'> & { open: (id: string) => void; current: string | null }) {
  const steps = stepsOf(draft);
  const [dragged, setDragged] = useState<number | null>(null);
  const [said, setSaid] = useState('');
  const [adding, setAdding] = useState('email');
  const list = useRef<HTMLOListElement>(null);
  const move = (from: number, to: number) => {
    const step = steps[from];
    if (disabled || step === undefined || to < 0 || to >= steps.length || from === to) return;
    onChange(moveStep(draft, from, to));
    setSaid(`${sentenceCase(plain(step.id))} is step ${to + 1} of ${steps.length} now.`);
  };
  const keys = (event: KeyboardEvent, at: number) => {
    const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
    if (by === 0) return;
    event.preventDefault();
    if (event.altKey) move(at, at + by);
    // The step keeps the focus: its button moves with it.
    else list.current?.querySelectorAll<HTMLElement>('[data-step]')[at + by]?.focus();
  };
  const add = () => {
    const id = freeId(
      adding === 'none' ? 'mark' : adding,
      steps.map((step) => step.id),
    );
    const last = steps.at(-1);
    const added: Step = { id, ...(last === undefined ? { at: '1h' } : { after: '1d' }), channel: adding };
    onChange(withNewTexts(form, withSteps(draft, [...steps, added]), steps.length));
    open(id);
  };
  const remove = (at: number) => {
    onChange(
      withSteps(
        draft,
        steps.filter((_, place) => place !== at),
      ),
    );
    setSaid(`${sentenceCase(plain(steps[at]?.id ?? ''))} is taken out.`);
  };
  return (
    <Panel title="Steps" note={disabled ? undefined : 'Drag them, or hold Alt and press the arrow keys.'} flush className="lg:sticky lg:top-4">
      <ol ref={list} className="divide-y divide-line border-t border-line">
        {steps.map((step, at) => {
          const wrong = faults.filter(({ path, severity }) => path[0] === 'steps' && path[1] === at && severity === 'error').length;
          return (
            <li
              key={step.id}
              draggable={!disabled}
              onDragStart={(event: DragEvent) => {
                event.dataTransfer.effectAllowed = 'move';
                setDragged(at);
              }}
              onDragEnd={() => setDragged(null)}
              onDragOver={(event: DragEvent) => {
                if (dragged !== null) event.preventDefault();
              }}
              onDrop={(event: DragEvent) => {
                event.preventDefault();
                if (dragged !== null) move(dragged, at);
                setDragged(null);
              }}
              className={`flex items-center gap-2 px-2 py-1.5 ${step.id === current ? 'bg-accent-soft' : ''} ${dragged === at ? 'opacity-50' : ''}`}
            >
              <button
                type="button"
                data-step
                aria-current={step.id === current ? 'step' : undefined}
                onClick={() => open(step.id)}
                onKeyDown={(event) => keys(event, at)}
                className="min-w-0 flex-1 rounded-md px-2 py-1 text-start hover:bg-sunken/70"
              >
                <span className="block truncate font-medium">
                  {at + 1}. {sentenceCase(plain(step.id))}
                  {wrong > 0 && <span className="ms-2 text-xs text-bad">{wrong} wrong</span>}
                </span>
                <span className="block text-xs text-soft">
                  {channelsOf(step)
                    .map((one) => channelOptions.find(({ value }) => value === one)?.name ?? one)
                    .join(', else ')}
                  , {whenOf(step)}
                </span>
              </button>
              {!disabled && (
                <span className="flex shrink-0">
                  <StepButton label={`Move ${plain(step.id)} up`} off={at === 0} onClick={() => move(at, at - 1)}>
                    ↑
                  </StepButton>
                  <StepButton label={`Move ${plain(step.id)} down`} off={at === steps.length - 1} onClick={() => move(at, at + 1)}>
                    ↓
                  </StepButton>
                  <StepButton label={`Take out ${plain(step.id)}`} off={false} onClick={() => remove(at)}>
                    ×
                  </StepButton>
                </span>
              )}
            </li>
          );
        })}
      </ol>
      {!disabled && (
        <div className="flex flex-wrap items-center gap-2 border-t border-line p-3">
          <select
            aria-label="By which way"
            value={adding}
            onChange={(event) => setAdding(event.target.value)}
            className="min-h-8 min-w-0 rounded-md border border-line-strong bg-surface px-2 text-[0.8125rem] pointer-coarse:min-h-11"
          >
            {channelOptions.map((option) => (
              <option key={option.value} value={option.value}>
                {option.name}
              </option>
            ))}
          </select>
          <Button onClick={add}>Add a step</Button>
        </div>
      )}
      <p role="status" className="sr-only">
        {said}
      </p>
    </Panel>
  );
}

function StepButton({ label, off, onClick, children }: { label: string; off: boolean; onClick: () => void; children: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      disabled={off}
      onClick={onClick}
      className="grid size-7 place-items-center rounded text-soft hover:bg-sunken hover:text-ink disabled:opacity-30 pointer-coarse:size-11"
    >
      {children}
    </button>
  );
}
