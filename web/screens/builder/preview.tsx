import { useEffect, useRef, useState } from 'react';
import type { Data } from '../../../sdk/index.ts';
import { Choice, Select } from '../../parts/choice.tsx';
import { plain, sentenceCase } from '../../parts/format.ts';
import { Panel } from '../../parts/panel.tsx';
import { Empty, Loading } from '../../parts/states.tsx';
import { sequences } from '../../../sdk/index.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { channelName } from '../../parts/words.ts';
import {
  type Channel,
  channelsOf,
  channelTexts,
  type Draft,
  type Faults,
  type Form,
  type Step,
  stepAs,
  stepsOf,
  textOf,
  textsOfStep,
  variantsOf,
  withSteps,
} from './form.ts';

type Preview = Data<'POST /api/sequences/{slug}/form/preview'>;
const languages = [
  { value: '', name: 'As the sample' },
  { value: 'en', name: 'English' },
  { value: 'de', name: 'German' },
  { value: 'fr', name: 'French' },
  { value: 'es', name: 'Spanish' },
  { value: 'ru', name: 'Russian' },
  { value: 'ar', name: 'Arabic' },
  { value: 'fa', name: 'Persian' },
];

/** What a step says, as its reader sees it. @param draft - as it was a moment ago: what is being typed follows. @param faults - of that draft; null: they are not known yet */
export function StepPreview({ form, draft, step, faults }: { form: Form; draft: Draft; step: Step; faults: Faults | null }) {
  const variants = variantsOf(step);
  const [chosen, setChosen] = useState('');
  const variant = variants.find(({ id }) => textOf(id) === chosen) ?? variants[0];
  const seen = variant === undefined ? step : stepAs(step, variant);
  const channels = channelsOf(seen).filter((one) => channelTexts[one] !== undefined);
  const [wanted, setWanted] = useState<string | null>(null);
  const [sample, setSample] = useState('');
  const [locale, setLocale] = useState('');
  const index = stepsOf(draft).findIndex(({ id }) => id === step.id);
  const channel = channels.find((one) => one === wanted) ?? channels[0];
  // The step as one variant has it is previewed as a step: what chance would have for the sample does not matter here.
  const asked =
    variant === undefined
      ? draft
      : withSteps(
          draft,
          stepsOf(draft).map((one) => (one.id === step.id ? seen : one)),
        );
  const own = new Set(textsOfStep(step).map(({ name }) => name));
  const wrong = faults?.find(({ rule, text, path }) => rule === 'format' || (rule === 'text' && (text === null ? path[1] === index : own.has(text))));
  const shown = useStoreQuery(
    ['form-preview', form.slug, step.id, channel, sample, locale, asked],
    (api, signal) =>
      sequences(api).previewForm(
        form.slug,
        {
          ...asked,
          step: step.id,
          ...(channel === undefined ? {} : { channel: channel as Channel }),
          ...(sample === '' ? {} : { sample }),
          ...(locale === '' ? {} : { locale }),
        },
        { signal },
      ),
    { keep: true, enabled: channel !== undefined && faults !== null && wrong === undefined },
  );
  if (channel === undefined) return null;
  return (
    <Panel title="How it looks" note="As somebody would get it now. Nothing is sent.">
      <div className="mb-3 flex flex-wrap gap-3">
        {variants.length > 1 && (
          <Select
            label="Variant"
            value={textOf(variant?.['id'])}
            options={variants.map(({ id }) => ({ value: textOf(id), name: textOf(id) }))}
            onChange={setChosen}
          />
        )}
        {channels.length > 1 && (
          <Choice label="By" value={channel} options={channels.map((value) => ({ value, name: channelName(value) }))} onChange={setWanted} />
        )}
        <Select
          label="To"
          value={sample}
          options={[
            { value: '', name: 'Somebody of whom everything is known' },
            ...(form.about?.samples.slice(1) ?? []).map((value) => ({ value, name: sentenceCase(value) })),
          ]}
          onChange={setSample}
        />
        <Select label="In" value={locale} options={languages} onChange={setLocale} />
      </div>
      {wrong !== undefined ? (
        <Empty title="It cannot be shown yet">What is wrong stands at its field.</Empty>
      ) : shown.error !== null ? (
        <Empty title="It cannot be shown yet">
          {shown.error.code === 'no_text' ? 'There is no text for it.' : (shown.error.errors?.[0]?.message ?? shown.error.message)}
        </Empty>
      ) : shown.data === undefined ? (
        <Loading lines={5} />
      ) : (
        <Shown of={shown.data} />
      )}
    </Panel>
  );
}

function Shown({ of }: { of: Preview }) {
  return (
    <>
      {of.channel === 'email' ? <Email of={of} /> : <Bubble of={of} />}
      {of.script !== null && (
        <p className="mt-2 text-[0.8125rem] text-soft">This is the script “{of.script}”, which goes out in the place of the step’s own text.</p>
      )}
      {of.arm !== null && (
        <p className="mt-2 text-[0.8125rem] text-soft">
          This is variant {of.arm.variant},{' '}
          {of.arm.by === 'winner' ? 'which has won its test' : of.arm.by === 'kept' ? 'as they had before' : 'as chance has it for them'}.
        </p>
      )}
      {of.claims.length > 0 && (
        <ul className="mt-3 space-y-1 text-[0.8125rem] text-soft">
          {of.claims.map(({ claim, shown, why }) => (
            <li key={claim}>
              <span className="font-medium text-ink">{sentenceCase(plain(claim))}</span>: {shown ? 'is shown' : 'is left out'}, because {why}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Email({ of: { subject, preheader, html, text } }: { of: Preview }) {
  const [as, setAs] = useState<'wide' | 'phone' | 'text'>('wide');
  return (
    <div>
      <div className="rounded-t-lg border border-line bg-sunken px-3 py-2">
        <p className="font-semibold break-words">{subject}</p>
        <p className="truncate text-[0.8125rem] text-soft">{preheader}</p>
      </div>
      <div className="border-x border-b border-line p-2">
        <Choice
          label="Seen"
          value={as}
          options={[
            { value: 'wide', name: 'Computer' },
            { value: 'phone', name: 'Phone' },
            { value: 'text', name: 'Text only' },
          ]}
          onChange={setAs}
        />
      </div>
      {as === 'text' || html === null ? (
        <pre
          dir="auto"
          className="max-h-144 overflow-auto rounded-b-lg border-x border-b border-line p-3 font-mono text-xs whitespace-pre-wrap"
          tabIndex={0}
        >
          {text}
        </pre>
      ) : (
        <div className="flex justify-center rounded-b-lg border-x border-b border-line bg-white">
          <EmailFrame html={html} narrow={as === 'phone'} />
        </div>
      )}
    </div>
  );
}

/** The email in a frame of nobody's origin: its styles hold there alone, and nothing of it runs. */
function EmailFrame({ html, narrow }: { html: string; narrow: boolean }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [height, setHeight] = useState(320);
  const [ready, setReady] = useState(false);
  useEffect(() => {
    const hear = ({ source, data }: MessageEvent<unknown>) => {
      if (source === null || source !== frame.current?.contentWindow || typeof data !== 'object' || data === null) return;
      if ('ready' in data) setReady(true);
      if ('height' in data && typeof data.height === 'number') setHeight(Math.min(2_400, Math.max(120, data.height)));
    };
    window.addEventListener('message', hear);
    return () => window.removeEventListener('message', hear);
  }, []);
  useEffect(() => {
    // Its origin is nobody's, so none can be named.
    if (ready) frame.current?.contentWindow?.postMessage({ html }, '*');
  }, [html, ready]);
  return (
    <iframe
      ref={frame}
      title="The email"
      sandbox="allow-scripts"
      src="/app/assets/email-frame.html"
      className={`block border-0 bg-white ${narrow ? 'w-[23.4rem] max-w-full' : 'w-full'}`}
      style={{ height, colorScheme: 'light' }}
    />
  );
}

const names: Readonly<Record<string, string>> = {
  sms: 'Text message',
  whatsapp: 'WhatsApp',
  telegram: 'Telegram',
  push: 'Notification',
  onsite: 'Pop-up',
  call: 'What the call begins with',
};

/** As on a phone. */
function Bubble({ of: { channel, subject, text, cta } }: { of: Preview }) {
  return (
    <figure className="mx-auto max-w-sm rounded-3xl border border-line-strong bg-sunken p-4">
      <figcaption className="mb-3 text-center text-xs text-soft">{names[channel] ?? channelName(channel)}</figcaption>
      <div
        dir="auto"
        className={`w-fit max-w-full rounded-2xl border border-line p-3 break-words whitespace-pre-wrap ${channel === 'sms' ? 'bg-accent-soft' : 'bg-raised'}`}
      >
        {subject !== null && <p className="mb-1 font-semibold">{subject}</p>}
        {text.trim()}
        {cta !== null && <p className="mt-2 rounded-lg border border-line-strong px-3 py-1.5 text-center font-medium text-accent">{cta}</p>}
      </div>
      {channel === 'sms' && <p className="mt-2 text-xs text-soft">{text.trim().length} characters</p>}
    </figure>
  );
}
