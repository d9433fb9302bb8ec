import type { Data } from '../../../sdk/index.ts';

export type Form = Data<'GET /api/sequences/{slug}/form'>;
export type Faults = Data<'POST /api/sequences/{slug}/form/check'>['faults'];
export type Channel = Data<'POST /api/sequences/{slug}/form/preview'>['channel'];

/** A step as its file says it. What the form does not know stays as it is. */
export type Step = { readonly id: string } & Readonly<Record<string, unknown>>;

/** What is being edited: the sequence, and texts that were changed, by name. */
export interface Draft {
  said: Readonly<Record<string, unknown>>;
  texts: Readonly<Record<string, string>>;
}

export const stepsOf = ({ said }: Draft): Step[] => (Array.isArray(said['steps']) ? said['steps'].filter(isStep) : []);

const isStep = (value: unknown): value is Step => isRecord(value) && typeof value['id'] === 'string';
export const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
export const textOf = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

/** Set fields; undefined takes one away. */
export function withFields<T extends Readonly<Record<string, unknown>>>(before: T, change: Readonly<Record<string, unknown>>): T {
  const entries = Object.entries({ ...before, ...change }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as T;
}

export const withSteps = (draft: Draft, steps: readonly Step[]): Draft => ({ ...draft, said: { ...draft.said, steps } });
export const changeStep = (draft: Draft, index: number, change: Readonly<Record<string, unknown>>): Draft =>
  withSteps(
    draft,
    stepsOf(draft).map((step, at) => (at === index ? withFields(step, change) : step)),
  );

export function moveStep(draft: Draft, from: number, to: number): Draft {
  const steps = stepsOf(draft);
  const [moved] = steps.splice(from, 1);
  if (moved !== undefined) steps.splice(to, 0, moved);
  return withSteps(draft, steps);
}

export const channelsOf = ({ channel }: Step): string[] =>
  Array.isArray(channel) ? channel.filter((one) => typeof one === 'string') : typeof channel === 'string' ? [channel] : [];

/** Channels whose steps have a text, with how it is called, and what a new one begins with. `[kind]` stands for what it is about. */
export const channelTexts: Readonly<Record<string, { suffix: string; fields: readonly string[]; starter: string }>> = {
  email: {
    suffix: '',
    fields: ['subject', 'preheader', 'heading', 'cta'],
    starter:
      '---\nsubject: "A word from {{ store.name }}"\npreheader: "It takes a minute to read."\nheading: "Good to hear from you"\ncta: "Go on"\n---\n{% if contact.firstName %}Hi {{ contact.firstName }},{% else %}Hi there,{% endif %}\n\nWrite what you want to say here.\n\n[kind]\n',
  },
  sms: { suffix: '.sms', fields: [], starter: '{{ store.name }} here. Write what you want to say. {{ link.url }} {{ optOut }}\n' },
  whatsapp: { suffix: '.whatsapp', fields: [], starter: '{{ store.name }} here. Write what you want to say. {{ link.url }}\n' },
  telegram: { suffix: '.telegram', fields: [], starter: '{{ store.name }} here. Write what you want to say.\n' },
  push: { suffix: '.push', fields: ['title'], starter: '---\ntitle: "{{ store.name }}"\n---\nWrite what you want to say.\n' },
  onsite: {
    suffix: '.onsite',
    fields: ['heading', 'cta', 'close'],
    starter: '---\nheading: "One more thing"\ncta: "Go on"\nclose: "Not now"\n---\nWrite what you want to say.\n',
  },
  call: { suffix: '.call', fields: [], starter: 'Hello, this is {{ store.name }}. Do you have a minute?\n' },
  crm: { suffix: '.crm', fields: ['workflow'], starter: '---\nworkflow: "Its name at the CRM"\n---\n' },
};

const contentOf = (said: unknown): string[] =>
  typeof said === 'string' ? [said] : isRecord(said) && typeof said['fallback'] === 'string' ? [said['fallback']] : [];

/** A variant of a step as its file says it. */
export type Variant = Readonly<Record<string, unknown>>;
export const variantsOf = ({ variants }: Step): Variant[] => (Array.isArray(variants) ? variants.filter(isRecord) : []);

/** The step as those get it who have one of its variants: as the API makes it of what a version says. */
export function stepAs(step: Step, { content, channel = step['channel'], offer = step['offer'] }: Variant): Step {
  return withFields(step, { variants: undefined, content, channel, offer: offer === false ? undefined : offer });
}

/** Every content that a step names: its one, or those of its variants. */
export function contentsOf(step: Step): string[] {
  const { content, variants, texts } = step;
  if (Array.isArray(variants)) return variantsOf(step).flatMap((one) => contentOf(one['content']));
  return Array.isArray(texts) ? texts.filter((one) => typeof one === 'string') : contentOf(content);
}

/** A text of a step in the language that the others are translated from. */
export interface StepText {
  name: string;
  channel: string;
}

export function textsOfStep(step: Step): StepText[] {
  const forms = variantsOf(step).map((variant) => stepAs(step, variant));
  const all = (forms.length === 0 ? [step] : forms).flatMap((form) =>
    channelsOf(form).flatMap((channel) => {
      const known = channelTexts[channel];
      return known === undefined ? [] : contentsOf(form).map((content) => ({ name: `${content}${known.suffix}`, channel }));
    }),
  );
  return all.filter((one, index) => all.findIndex(({ name }) => name === one.name) === index);
}

/** The texts in other languages of a text. */
export const translationsOf = (name: string, names: readonly string[]): string[] =>
  names.filter((other) => other.startsWith(`${name}.`) && isLanguage(other.slice(name.length + 1)));

const suffixes = new Set(Object.values(channelTexts).map(({ suffix }) => suffix.slice(1)));
const isLanguage = (text: string) => /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(text) && !suffixes.has(text);

/** A text in its parts. Each field stands on a line of its own, so that a line number leads to it. */
export interface TextParts {
  fields: Readonly<Record<string, unknown>>;
  body: string;
}

export function writeText({ fields, body }: TextParts): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`);
  return lines.length === 0 ? body : `---\n${lines.join('')}---\n${body}`;
}

/** Reads what `writeText` wrote, and what the starters say. */
export function readText(source: string): TextParts {
  const match = /^---\n([\s\S]*?)---\n([\s\S]*)$/.exec(source);
  if (match === null) return { fields: {}, body: source };
  const [, head = '', body = ''] = match;
  const fields = head.split('\n').flatMap((line): [string, unknown][] => {
    const [, name, value] = /^(\w+): (.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, JSON.parse(value) as unknown]];
  });
  return { fields: Object.fromEntries(fields), body };
}

/** The field of a text that a line of it is in. */
export function fieldAtLine({ fields }: TextParts, line: number | null): string {
  const names = Object.keys(fields);
  return line === null || names.length === 0 ? 'body' : (names[line - 2] ?? 'body');
}

/** A number and a unit, as spans stand in files: `90m`, `2h`, `3d`. */
export interface Span {
  amount: string;
  unit: string;
}
export const spanUnits = [
  { value: 's', name: 'seconds' },
  { value: 'm', name: 'minutes' },
  { value: 'h', name: 'hours' },
  { value: 'd', name: 'days' },
] as const;

export function spanOf(value: unknown): Span {
  const [, amount = '', unit = 'h'] = /^(.*?)([smhd]?)$/.exec(textOf(value)) ?? [];
  return { amount, unit: unit === '' ? 'h' : unit };
}

const plainSpan = (value: unknown): string => {
  const { amount, unit } = spanOf(value);
  const name = spanUnits.find((one) => one.value === unit)?.name ?? '';
  return `${amount} ${amount === '1' ? name.slice(0, -1) : name}`;
};

/** When a step comes, in words. */
export function whenOf(step: Step): string {
  const { on, at, after } = step;
  if (isRecord(on)) {
    const event = textOf(on['event']);
    if (event === 'contact.asked_later') return 'when somebody asks to be called later';
    return `${plainSpan(after ?? '0m')} after “${textOf(on['step'])}” is ${event === 'message.clicked' ? 'clicked' : 'opened'}`;
  }
  if (after !== undefined) return `${plainSpan(after)} after the step before`;
  return /^0+[smhd]$/.test(textOf(at)) ? 'at once' : `${plainSpan(at)} after the start`;
}

/** A name for a new step that is not taken. */
export function freeId(channel: string, taken: readonly string[]): string {
  for (let n = 1; ; n += 1) if (!taken.includes(`${channel}_${n}`)) return `${channel}_${n}`;
}
