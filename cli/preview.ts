import { channelNames, type Channel } from '../domain/channels/index.ts';
import { chooseLanguage } from '../domain/languages.ts';
import { readCopyName } from '../domain/sequence/copy-name.ts';
import { parseSequence } from '../domain/sequence/parse-sequence.ts';
import { stepOfVariant } from '../domain/sequence/step-of-variant.ts';
import { kindOfSequence } from '../domain/sequence/triggers.ts';
import { subjectKinds } from '../domain/subjects/index.ts';
import { describeFileErrors } from '../domain/yaml-file.ts';
import { unwrap } from '../sdk/index.ts';
import { type Answer, type Command, type Context, NotPossibleError, required, type Row, shown, UsageError } from './command.ts';
import { presetOrFile, readText, textsBeside } from './sequence-file.ts';

export const preview: Command = {
  summary: 'what a step says to somebody, or to a sample without a server',
  usage: `rekindle preview <sequence | file.yaml> <step> [--locale fa] [--variant B] [--contact ID | --sample NAME]

Shows the message as it would go out now: subject, preheader, text, and which of its claims are shown and why. Nothing is sent.
A page of it is at /preview/<sequence>/<step> of the API that npm start runs.

--locale    the reader's language and region
--variant   one of the step's variants; without it, the contact's own, or the first
--contact   a real person of the store, by id or email address, by the version in use there
--sample    an invented person and cart or lead, by its name or a part of it; without it, the one of which everything is known. No server is asked`,
  example: 'rekindle preview cart email_24h --locale de',
  takes: 2,
  options: { locale: { type: 'string' }, variant: { type: 'string' }, contact: { type: 'string' }, sample: { type: 'string' } },
  async run(context) {
    const { options } = context;
    if (options['contact'] !== undefined && options['sample'] !== undefined) throw new UsageError('Say one of --contact and --sample.');
    const data = options['contact'] === undefined ? await ofSample(context) : await ofContact(context);
    return answerOf(data);
  },
};

async function ofContact({ store, args: [slug, step], options }: Context): Promise<Row> {
  const { locale, variant } = options;
  const query = {
    contact: required(options['contact'], 'The contact'),
    ...(typeof locale === 'string' ? { locale } : {}),
    ...(typeof variant === 'string' ? { variant } : {}),
  };
  return unwrap(await store.previews.get(required(slug, 'The sequence'), required(step, 'The step'), query));
}

/** From the files alone. */
async function ofSample({ args: [wanted, stepId], options }: Context): Promise<Row> {
  const file = presetOrFile(required(wanted, 'The sequence'));
  const yaml = readText(file);
  const parsed = parseSequence(yaml);
  if (!parsed.ok) throw new NotPossibleError(describeFileErrors(file, parsed.errors));
  const { steps } = parsed.definition;
  const written = steps.find(({ id }) => id === required(stepId, 'The step'));
  if (written === undefined) throw new UsageError(`${stepId ?? ''} is no step of this sequence: it has ${steps.map(({ id }) => id).join(', ')}.`);
  const { variants = [] } = written;
  const asked = textOption(options['variant']);
  const variant = asked === null ? variants[0] : variants.find(({ id }) => id === asked);
  if (asked !== null && variant === undefined)
    throw new UsageError(`${asked} is no variant of ${written.id}: it has ${variants.map(({ id }) => id).join(', ') || 'none'}.`);
  const step = stepOfVariant(written, variant);
  const kind = kindOfSequence(subjectKinds, parsed.definition);
  if (kind === null) throw new NotPossibleError('Nothing is known about what this sequence is about.');
  // Loaded for this command alone: it brings the compiler of emails.
  const { channelContentOf, copyNameOf, previewMessage } = await import('../content/channels/index.ts');
  const { sampleFacts, sampleNames, sampleOffer } = await import('../content/preview.ts');
  const { CopySourceError } = await import('../content/copy-source.ts');
  const { folder, texts } = textsBeside(file, yaml);
  const { content } = step;
  const channel = step.channels.find((one) => content !== null && texts[copyNameOf(content, one)] !== undefined);
  const made = channel === undefined ? null : channelContentOf(channel);
  if (content === null || channel === undefined || made === null) throw new NotPossibleError(`${step.id} sends no text that lies in ${folder}.`);
  const [locale, sample] = [textOption(options['locale']), textOption(options['sample'])];
  const facts = sampleFacts({ kind, sample, locale, store: null, nowMs: Date.now() });
  if (facts === null) throw new UsageError(`"${sample ?? ''}" is no sample: there are ${sampleNames(kind).join('; ')}.`);
  const name = translationFor(Object.keys(texts), copyNameOf(content, channel), locale);
  const source = { file: `${folder}/${name.slice(name.indexOf('/') + 1)}.liquid`, text: texts[name] ?? '' };
  try {
    const compiled = await made.compile(source, { kind, isFirst: false, language: readCopyName(name)?.language ?? null });
    const shownFacts = step.offer === undefined ? { ...facts, offer: null } : facts;
    const preview = previewMessage({ [name]: compiled, [copyNameOf(content, channel)]: compiled }, content, channel, shownFacts);
    const offer = step.offer === undefined ? [] : [{ claim: 'offer', shown: facts.offer !== null, why: sampleOffer(facts.offer) }];
    return { ...preview, script: null, arm: null, claims: [...preview.claims, ...offer] };
  } catch (error) {
    if (error instanceof CopySourceError) throw new NotPossibleError(error.message);
    throw error;
  }
}

const textOption = (value: Context['options'][string]) => (typeof value === 'string' && value !== '' ? value : null);

/** The name of the text in the reader's language, where there is one. */
function translationFor(names: readonly string[], original: string, locale: string | null): string {
  const translated = names.filter((name) => name.startsWith(`${original}.`) && !isChannelOf(name, original));
  const languageOf = (name: string) => name.slice(original.length + 1);
  const chosen = chooseLanguage(['en', ...translated.map(languageOf)], [locale]);
  return translated.find((name) => languageOf(name) === chosen) ?? original;
}

/** `cart/nudge.sms` is the text message of `cart/nudge`, and no translation. */
const isChannelOf = (name: string, original: string) =>
  channelNames.some((channel: Channel) => name === `${original}.${channel}` || name.startsWith(`${original}.${channel}.`));

function answerOf(data: Row): Answer {
  const claims = (data['claims'] ?? []) as Row[];
  const line = (name: string, field: string) => (data[field] === null ? [] : [`${name.padEnd(11)}${shown(data[field])}`]);
  return {
    data,
    lines: [
      ...line('Channel', 'channel'),
      ...line('Language', 'locale'),
      ...line('Script', 'script'),
      ...armLine(data['arm']),
      ...line('Subject', 'subject'),
      ...line('Preheader', 'preheader'),
      ...line('Button', 'cta'),
      ...claims.map((c) => `Claim      ${shown(c['claim'])}: ${c['shown'] === true ? 'shown' : 'left out'}, ${shown(c['why'])}`),
      '',
      shown(data['text']).trimEnd(),
    ],
  };
}

const words: Record<string, string> = { kept: 'as they had before', drawn: 'by chance, and kept from the first message on', winner: 'which has won' };

function armLine(arm: unknown): string[] {
  if (typeof arm !== 'object' || arm === null) return [];
  const { variant, by, experiment } = arm as Row;
  return [`Variant    ${shown(variant)}, ${words[shown(by)] ?? shown(by)}${typeof experiment === 'string' ? ` (test ${experiment})` : ''}`];
}
