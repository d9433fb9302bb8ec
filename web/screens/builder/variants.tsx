import { Button } from '../../parts/button.tsx';
import { CheckField, LineField, SelectField, SpanField } from './fields.tsx';
import {
  changeStep,
  channelsOf,
  channelTexts,
  contentsOf,
  type Draft,
  type Faults,
  type Form,
  isRecord,
  type Step,
  textOf,
  textsOfStep,
  translationsOf,
  type Variant,
  variantsOf,
  withFields,
  writeText,
} from './form.ts';
import { ChannelsField, channelSaid, offerChoice, offerOptions, offerSaid } from './step-choices.tsx';

const mostVariants = 10;

interface Editing {
  form: Form;
  draft: Draft;
  index: number;
  step: Step;
  faults: Faults;
  disabled: boolean;
  onChange: (draft: Draft) => void;
}

/** The forms of a step that are compared by chance: each with its text, time, way and offer. @param onTexts - as onChange, where a text may be new */
export function Variants({ form, draft, index, step, faults, disabled, onChange, onTexts }: Editing & { onTexts: (draft: Draft) => void }) {
  const variants = variantsOf(step);
  const put = (next: readonly Variant[]) => changeStep(draft, index, { variants: next });
  const wrongAt = (at: number, ...fields: string[]) =>
    faults.flatMap(({ path: [steps, of, name, nth, field], message }) =>
      steps === 'steps' &&
      of === index &&
      name === 'variants' &&
      nth === at &&
      (field === undefined ? fields.length === 0 : fields.includes(String(field)))
        ? [message]
        : [],
    );
  const ofAll = faults.flatMap(({ path, message }) =>
    path[0] === 'steps' && path[1] === index && path[2] === 'variants' && path.length === 3 ? [message] : [],
  );

  if (variants.length === 0) {
    const speaks = channelsOf(step).some((channel) => channelTexts[channel] !== undefined);
    if (disabled || !speaks || contentsOf(step).length === 0 || step['texts'] !== undefined || step['script'] !== undefined) return null;
    const first: Variant = { id: 'a', content: step['content'] };
    const begin = () => {
      const second = { id: 'b', content: `${form.slug}/${step.id}_b` };
      onTexts(withCopy(form, changeStep(draft, index, { content: undefined, variants: [first, second] }), step, second.content));
    };
    return (
      <div>
        <Button onClick={begin}>Compare variants</Button>
        <p className="mt-1 text-[0.8125rem] text-soft">Each person gets one of them, by chance. A test says which does better.</p>
      </div>
    );
  }
  const change = (at: number, fields: Readonly<Record<string, unknown>>) =>
    onTexts(put(variants.map((one, nth) => (nth === at ? withFields(one, fields) : one))));
  const takeOut = (at: number) => {
    const left = variants.filter((_, nth) => nth !== at);
    const [only] = left;
    if (left.length > 1 || only === undefined) return onChange(put(left));
    const { content, channel = step['channel'], offer = step['offer'] } = only;
    onChange(changeStep(draft, index, { variants: undefined, content, channel, offer: offer === false ? undefined : offer }));
  };
  const add = () => {
    const id = freeName(variants.map((one) => textOf(one['id'])));
    const content = `${form.slug}/${step.id}_${id}`;
    onTexts(withCopy(form, put([...variants, { id, content }]), step, content));
  };
  return (
    <fieldset className="min-w-0 space-y-3 rounded-md border border-line p-3">
      <legend className="px-1 text-[0.8125rem] font-medium">Variants, compared by chance</legend>
      {variants.map((variant, at) => (
        // By their order: a name changes while it is typed.
        <OneVariant
          key={at}
          {...{ form, step, variant, disabled }}
          nth={at + 1}
          isLast={variants.length === 2}
          wrong={(...fields) => wrongAt(at, ...fields)}
          onChange={(fields) => change(at, fields)}
          onTakeOut={() => takeOut(at)}
        />
      ))}
      {ofAll.map((message) => (
        <p key={message} className="text-[0.8125rem] text-bad">
          They {message}
        </p>
      ))}
      {!disabled && variants.length < mostVariants && <Button onClick={add}>Add a variant</Button>}
    </fieldset>
  );
}

function OneVariant({
  form,
  step,
  variant,
  nth,
  isLast,
  disabled,
  wrong,
  onChange,
  onTakeOut,
}: {
  form: Form;
  step: Step;
  variant: Variant;
  nth: number;
  /** Without it, nothing is compared any more. */
  isLast: boolean;
  disabled: boolean;
  wrong: (...fields: string[]) => readonly string[];
  onChange: (fields: Readonly<Record<string, unknown>>) => void;
  onTakeOut: () => void;
}) {
  const name = textOf(variant['id']);
  const own = variant['channel'] !== undefined;
  const { content } = variant;
  const model = isRecord(content) ? content : null;
  const text = model === null ? textOf(content) : textOf(model['fallback']);
  return (
    <div role="group" aria-label={`Variant ${name}`} className="space-y-3 border-b border-line pb-3">
      <div className="grid gap-3 sm:grid-cols-2">
        <LineField label={`Name of variant ${nth}`} value={name} onChange={(id) => onChange({ id })} faults={wrong('id')} disabled={disabled} />
        <LineField
          label="Share"
          hint="In proportion to the others’."
          value={textOf(variant['weight'] ?? 1)}
          onChange={(weight) => onChange({ weight: /^\d+$/.test(weight) ? Number(weight) : weight })}
          faults={wrong('weight')}
          disabled={disabled}
        />
        <LineField
          label="Text"
          hint="Its name: what it says stands below."
          value={text}
          onChange={(next) => onChange({ content: model === null ? next : { ...model, fallback: next } })}
          faults={model === null ? wrong('content') : []}
          disabled={disabled}
        />
        <SpanField
          label="Later than the others by"
          hint="Empty: when the step is due."
          value={variant['later']}
          onChange={(later) => onChange({ later })}
          faults={wrong('later')}
          disabled={disabled}
        />
        <SelectField
          label="Offer of the variant"
          value={variant['offer'] === undefined ? 'step' : variant['offer'] === false ? '' : offerChoice(variant['offer'])}
          options={[{ value: 'step', name: 'As the step' }, ...offerOptions]}
          onChange={(offer) => onChange({ offer: offer === 'step' ? undefined : (offerSaid(offer) ?? false) })}
          faults={wrong('offer')}
          disabled={disabled}
        />
        <div>
          <CheckField
            label="A model writes it"
            checked={model !== null}
            onChange={(on) => onChange({ content: on ? { model: `${form.slug}/${step.id}`, fallback: text } : text })}
            disabled={disabled}
          />
          {model !== null && (
            <LineField
              label="Brief of the model"
              hint="Its name, such as cart/nudge. The text above goes out where the model’s does not."
              value={textOf(model['model'])}
              onChange={(next) => onChange({ content: { ...model, model: next } })}
              faults={wrong('content')}
              disabled={disabled}
            />
          )}
        </div>
      </div>
      <CheckField
        label="Goes another way than the step"
        checked={own}
        onChange={(on) => onChange({ channel: on ? channelSaid(channelsOf(step)) : undefined })}
        disabled={disabled}
      />
      {own && (
        <ChannelsField
          label="By, for this variant"
          hint="Whom it does not reach gets nothing of this step, and counts in it all the same."
          value={channelsOf({ ...variant, id: name })}
          faults={wrong('channel')}
          disabled={disabled}
          onChange={(channels) => onChange({ channel: channelSaid(channels) })}
        />
      )}
      {wrong().map((message) => (
        <p key={message} className="text-[0.8125rem] text-bad">
          It {message}
        </p>
      ))}
      {!disabled && (
        <Button look="quiet" onClick={onTakeOut}>
          {isLast ? 'Take it out, and compare no more' : 'Take it out'}
          <span className="sr-only"> (variant {name})</span>
        </Button>
      )}
    </div>
  );
}

/** A new text begins as what the step says so far, on each of its ways and in every language. */
function withCopy(form: Form, draft: Draft, step: Step, content: string): Draft {
  const [from] = contentsOf(step);
  const names = [...form.texts.map(({ name }) => name), ...Object.keys(draft.texts)];
  const texts = { ...draft.texts };
  for (const { name } of textsOfStep(step).filter((one) => from !== undefined && one.name.startsWith(from)))
    for (const one of [name, ...translationsOf(name, names)]) {
      const loaded = form.texts.find((text) => text.name === one);
      const source = draft.texts[one] ?? (loaded === undefined ? undefined : writeText(loaded));
      if (from !== undefined && source !== undefined) texts[`${content}${one.slice(from.length)}`] ??= source;
    }
  return { ...draft, texts };
}

const freeName = (taken: readonly string[]): string => 'abcdefghijklmnop'.split('').find((one) => !taken.includes(one)) ?? `v${taken.length + 1}`;
