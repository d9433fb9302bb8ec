import { createHash } from 'node:crypto';
import { and, desc, eq, inArray, isNotNull } from 'drizzle-orm';
import { copyNameOf, hasCopy, languageOfText } from '../../content/channels/index.ts';
import { partsOfText } from '../../content/parts-of-text.ts';
import { isTranslationOf } from '../../content/texts-of-sequence.ts';
import type { Tx } from '../../db/client.ts';
import { experiments, sequences, suggestionDismissals } from '../../db/schema/index.ts';
import { wholeSequence } from '../../domain/experiments/variant.ts';
import { comparedIn } from '../../domain/experiments/take-over.ts';
import { type DismissedEvidence, isNewEvidence } from '../../domain/learning/dismissal.ts';
import { sellingHour } from '../../domain/learning/hours.ts';
import { hasPhrase } from '../../domain/learning/phrases.ts';
import {
  atLearnedHour,
  delayFromTest,
  type Redraft,
  type Suggestion,
  suggestionFor,
  suggestionKinds,
  type SuggestionSource,
  suggestionSources,
  withPhrase,
} from '../../domain/learning/suggestions.ts';
import { readCopyName } from '../../domain/sequence/copy-name.ts';
import { isChannel } from '../../domain/channels/index.ts';
import { wilsonInterval } from '../../domain/statistics/proportions.ts';
import { sequenceFileOf } from '../../domain/sequence/edit-file.ts';
import { fileOfDefinition } from '../../domain/sequence/file-of-definition.ts';
import { recordAudit } from '../audit.ts';
import { type NotWritten, writeScript } from '../composition/write-script.ts';
import type { Deps } from '../deps.ts';
import { type InUse, type PublishApply, publishChange, readInUse } from '../versions/publish.ts';
import { writtenTexts } from '../versions/form.ts';
import { type DelayTest, delaysOfTests } from './delays.ts';
import { readDropOffs } from './drop-offs.ts';
import { readLearnedHours } from './hours.ts';
import { phrasesToTryOfTests, type PhraseToTry } from './phrases.ts';
import { readTestedArms } from './tested-arms.ts';

// For code that may not import `domain/`.
export { suggestionKinds, suggestionSources };

/** What a suggestion rests on. */
export interface Evidence extends DismissedEvidence {
  source: SuggestionSource;
  /** Of `n`, those whom `rate` is about: who left, or who converted. */
  cases: number;
  /** In sentences, for people. */
  advice: string;
  /** Of phrases: adjusted for all that are judged on the channel (Benjamini and Hochberg); null: it is about something else. */
  q: number | null;
  /** Of what is lost: whether it depends on the time of day; null: too few, or it is about something else. */
  byHoursP: number | null;
}

/** A comparison that the store's figures suggest. It is a draft: nothing of it is in use. */
export interface DraftedSuggestion extends Omit<Suggestion, 'draft' | 'redraft'> {
  /** The same for the same change of the same version. */
  id: string;
  sequence: string;
  name: string;
  /** The version in use, of which it is a change. */
  version: number;
  evidence: Evidence;
  /** The whole sequence file with the comparison in it, YAML. */
  file: string;
  /** The text that somebody has to write before it can be published; null: none. */
  text: SuggestedText | null;
}

/** A text to be written. */
export interface SuggestedText extends Redraft {
  /** What goes out now, as it was written; null: only the compiled form is kept. */
  now: string | null;
}

/** What each sequence might try; those that lose most first. @param sinceMs - what is lost, by enrollments that were activated since then */
export async function readSuggestions(deps: Reads, tenantId: string, sinceMs: number): Promise<DraftedSuggestion[]> {
  return (await readAll(deps, tenantId, sinceMs)).filter(({ isDismissed }) => !isDismissed).map(({ suggestion }) => suggestion);
}

type Reads = Pick<Deps, 'db' | 'presets'>;
type Drafted = Pick<InUse, 'definition' | 'content'>;

/** Something that the figures say about a sequence, and what it would make of a version. */
interface Cause {
  sequence: string;
  evidence: Evidence;
  draft(inUse: Drafted): Suggestion | null;
}

interface Read {
  suggestion: DraftedSuggestion;
  cause: Cause;
  sequenceId: string;
  /** Somebody dismissed it, and what it rests on is the same. */
  isDismissed: boolean;
}

async function readAll(deps: Reads, tenantId: string, sinceMs: number): Promise<Read[]> {
  const { delays, phrases } = await deps.db.withTenant(tenantId, async (tx) => {
    const tests = await readTestedArms(tx, tenantId);
    return { delays: await delaysOfTests(tx, tests), phrases: await phrasesToTryOfTests(tx, tests) };
  });
  const causes = [
    ...(await lossesOf(deps, tenantId, sinceMs)),
    ...delaysOf(delays),
    ...(await phraseCauses(deps, tenantId, phrases)),
    ...(await hoursOf(deps, tenantId)),
  ];
  return deps.db.withTenant(tenantId, async (tx) => {
    const found: Read[] = [];
    const dismissed = await tx.select().from(suggestionDismissals);
    // A version with its texts is large, and several causes are about the same one.
    const known = new Map<string, Awaited<ReturnType<typeof readInUse>>>();
    for (const cause of causes) {
      const { sequence: slug, evidence } = cause;
      const { sequence, inUse } = known.get(slug) ?? (await readInUse(tx, slug));
      known.set(slug, { sequence, inUse });
      if (sequence === null || inUse === null || sequence.status === 'ARCHIVED') continue;
      const suggestion = cause.draft(inUse);
      if (suggestion === null || (await wasCompared(tx, sequence.id, suggestion))) continue;
      const { draft, redraft, ...about } = suggestion;
      // The same change for another reason is one suggestion. Another phrase is another change, so the next one takes the place of one that was dismissed.
      const isSame = ({ suggestion: other, isDismissed: gone }: Read) =>
        other.sequence === slug && other.step === about.step && other.kind === about.kind && !(gone && about.kind === 'text');
      if (found.some(isSame)) continue;
      const { version } = inUse;
      const key = dismissalKey(about.kind, evidence);
      const id = createHash('sha256').update([slug, version, about.step, key].join('\n')).digest('hex').slice(0, 24);
      const before = dismissed.find((one) => one.sequenceId === sequence.id && one.stepId === about.step && one.kind === key);
      const isDismissed = before !== undefined && !isNewEvidence(before.evidence, evidence);
      const file = sequenceFileOf(fileOfDefinition(draft));
      const written = redraft === undefined ? {} : await writtenTexts(deps, slug, inUse);
      const text = redraft === undefined ? null : { ...redraft, now: written[copyNameOf(redraft.of, redraft.channel)] ?? null };
      found.push({
        suggestion: { ...about, id, sequence: slug, name: inUse.definition.name, version, evidence, file, text },
        cause,
        sequenceId: sequence.id,
        isDismissed,
      });
    }
    return found;
  });
}

/** What is dismissed for one reason may be suggested for another. */
const dismissalKey = (kind: Suggestion['kind'], { source, because }: Evidence): string =>
  source === 'drop_off' ? kind : source === 'phrases' ? because : source;

async function lossesOf(deps: Pick<Deps, 'db'>, tenantId: string, sinceMs: number): Promise<Cause[]> {
  const dropOffs = await readDropOffs(deps, tenantId, sinceMs);
  return dropOffs.flatMap(({ sequence, largest }): Cause[] => {
    if (largest === null) return [];
    const { n, left, rate, interval, because, advice, byHoursP } = largest;
    return [
      {
        sequence,
        evidence: { source: 'drop_off', n, cases: left, rate, interval, because, advice, q: null, byHoursP },
        draft: ({ definition, content }) => suggestionFor(definition, largest, (step, channel) => hasCopy(content, step.content, channel)),
      },
    ];
  });
}

/** Delays that did significantly better in a test that is over. While it runs, the test itself says which is better. */
function delaysOf(tests: readonly DelayTest[]): Cause[] {
  return tests.flatMap(({ sequence, step, status, analysis, suggestion }): Cause[] => {
    const [own] = analysis.arms;
    const { better } = analysis;
    if (status === 'RUNNING' || suggestion === null || own === undefined || better === null || better.rate === null || better.interval === null)
      return [];
    const { people: n, converted: cases } = better.arm;
    const delays = { nowMs: own.arm.delayMs, betterMs: better.arm.delayMs };
    return [
      {
        sequence,
        evidence: {
          source: 'delay_test',
          n,
          cases,
          rate: better.rate,
          interval: better.interval,
          because: 'delay_test',
          advice: suggestion,
          ...{ q: null, byHoursP: null },
        },
        draft: ({ definition }) => delayFromTest(definition, step, delays),
      },
    ];
  });
}

/** Hours at which a channel sells better, for the sequences that use it. */
async function hoursOf(deps: Pick<Deps, 'db'>, tenantId: string): Promise<Cause[]> {
  const learned = await readLearnedHours(deps, tenantId);
  const known = await publishedSlugs(deps, tenantId);
  return learned.flatMap(({ channel, sends, conversions, rules }): Cause[] => {
    const best = sellingHour(rules);
    const interval = best === null ? null : wilsonInterval(best.converted, best.people);
    if (best === null || interval === null || !isChannel(channel)) return [];
    const { hour, days, people: n, converted: cases, chanceBetter } = best;
    const advice = `Of the messages by ${channel} that went out at ${hour}:00 on ${days.map((day) => dayNames[day]).join(', ')}, ${percent(cases / n)} sold, of all of them ${percent(conversions / sends)}; that hour is better with a chance of ${percent(chanceBetter)} at least. Who is written to at which hour was not drawn by chance for most: the comparison says whether the hour is the reason.`;
    const evidence: Evidence = { source: 'hours', n, cases, rate: cases / n, interval, because: `hours ${hour}`, advice, q: null, byHoursP: null };
    return known.map((slug) => ({ sequence: slug, evidence, draft: ({ definition }) => atLearnedHour(definition, { channel, hour }) }));
  });
}

/** Words that texts of a channel do better with, for the sequences that write by it. */
async function phraseCauses(deps: Pick<Deps, 'db'>, tenantId: string, phrases: readonly PhraseToTry[]): Promise<Cause[]> {
  if (phrases.length === 0) return [];
  const known = await publishedSlugs(deps, tenantId);
  return phrases.flatMap(({ channel, languages, text: phrase, tests, lift, interval, p }): Cause[] => {
    if (interval === null) return [];
    const advice = `Texts by ${channel} with “${phrase}” did better than those beside them in the same test, by ${percent(lift)} on average (${percent(interval.low)} to ${percent(interval.high)}), in ${tests} tests (adjusted p = ${(p ?? 1).toPrecision(2)}). Other words that came with it may be the reason: the comparison says so for this step.`;
    const evidence: Evidence = {
      ...{ source: 'phrases', n: tests, cases: 0, rate: lift, interval, because: `phrase ${phrase}`, advice, q: p, byHoursP: null },
    };
    const variant = variantWith(phrase);
    const draft = ({ definition, content }: Drafted) =>
      withPhrase(definition, { channel, phrase, variant }, (name) => {
        const compiled = content[copyNameOf(name, channel)];
        const [parts, language] = [partsOfText(compiled), languageOfText(compiled)];
        return parts.length > 0 && languages.includes(language) && !hasPhrase(parts, language, phrase);
      });
    return known.map((sequence) => ({ sequence, evidence, draft }));
  });
}

/** The id of the variant with a phrase: readable where it is short and in Latin letters, and always the same. */
function variantWith(phrase: string): string {
  const plain = phrase.replaceAll(' ', '_');
  if (/^[a-z0-9_]{1,15}$/.test(plain)) return `with_${plain}`;
  return `with_${createHash('sha256').update(phrase).digest('hex').slice(0, 10)}`;
}

async function publishedSlugs(deps: Pick<Deps, 'db'>, tenantId: string): Promise<string[]> {
  const rows = await deps.db.withTenant(tenantId, (tx) =>
    tx.select({ slug: sequences.slug }).from(sequences).where(isNotNull(sequences.currentVersionId)).orderBy(sequences.slug),
  );
  return rows.map(({ slug }) => slug);
}

const dayNames = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** What was compared once is not suggested again: the answer stands in the test. */
async function wasCompared(tx: Tx, sequenceId: string, { draft, step }: Suggestion): Promise<boolean> {
  const known = await tx
    .select({ shares: experiments.shares })
    .from(experiments)
    .where(and(eq(experiments.sequenceId, sequenceId), inArray(experiments.stepId, [wholeSequence, step])));
  const armsOf = (shares: Readonly<Record<string, number>>) => Object.keys(shares).toSorted().join();
  const drafted = comparedIn(draft).map(({ shares }) => armsOf(shares));
  return known.some(({ shares }) => drafted.includes(armsOf(shares)));
}

export type SuggestionApproved =
  | { kind: 'approved'; sequence: string; version: number }
  /** It is not suggested any more: somebody published, compares something, or the figures are others. */
  | { kind: 'unknown' }
  /** It needs a text and there is none, it has no use for the one that was given, or that one cannot be used. */
  | { kind: 'text'; why: string }
  /** The version cannot be made, or somebody published meanwhile. */
  | { kind: 'refused'; why: string };

interface Approval {
  tenantId: string;
  id: string;
  sinceMs: number;
  actor: string;
  /** What somebody wrote, or took from a model, for a suggestion that needs a text; null: nothing. */
  text: string | null;
}

/** Publish the comparison, for new enrollments. The test begins with the first person who is assigned, and ends as every test does. */
export async function approveSuggestion(
  deps: Reads & Pick<Deps, 'subjects' | 'kickRelay'>,
  { tenantId, id, sinceMs, actor, text }: Approval,
): Promise<SuggestionApproved> {
  const found = (await readAll(deps, tenantId, sinceMs)).find(({ suggestion, isDismissed }) => suggestion.id === id && !isDismissed);
  if (found === undefined) return { kind: 'unknown' };
  const { sequence: slug, version, kind, step, text: wanted } = found.suggestion;
  const { inUse } = await deps.db.withTenant(tenantId, (tx) => readInUse(tx, slug));
  if (inUse === null) return { kind: 'unknown' };
  if (wanted === null && text !== null) return { kind: 'text', why: 'It compares no texts: leave the text out.' };
  if (wanted !== null) {
    if (text === null) return { kind: 'text', why: `Write the text with “${wanted.phrase}” in it, or have a model draft it.` };
    if (!hasPhrase(partsOfText({ text }), languageOfText(inUse.content[copyNameOf(wanted.of, wanted.channel)]), wanted.phrase))
      return { kind: 'text', why: `The text lacks “${wanted.phrase}”, which is what would be compared.` };
  }
  const written = wanted === null ? {} : await writtenTexts(deps, slug, inUse);
  const lost = wanted === null ? [] : translationsNotWritten(wanted, inUse, written);
  if (lost.length > 0)
    return {
      kind: 'text',
      why: `Of ${lost.join(', ')} only the compiled form is kept, and a text that takes the place of another needs its translations as they are written: publish the sequence with them once, and repeat.`,
    };
  const texts = wanted === null || text === null ? undefined : textsWith(wanted, text, inUse, written);
  const published = await publishChange(
    deps,
    { tenantId, slug, baseVersion: version, running: 'stay', actor },
    (definition) => found.cause.draft({ definition, content: inUse.content })?.draft ?? null,
    {
      stillWanted: () => Promise.resolve(true),
      published: (tx, made) =>
        recordAudit(tx, { tenantId, actor, action: 'suggestion.approve', subject: id, data: { sequence: slug, version: made, kind, step } }),
      noted: { suggestion: id, kind, step },
      ...(texts === undefined ? {} : { texts }),
    },
  );
  if (published.kind === 'published') return { kind: 'approved', sequence: slug, version: published.version };
  if (published.kind !== 'invalid' || wanted === null) return { kind: 'refused', why: published.kind };
  return { kind: 'text', why: published.faults.map(({ path, message }) => `${path} ${message}`).join('; ') };
}

export type ScriptDrafted =
  | { kind: 'drafted'; by: 'model'; model: string; text: string }
  /** The step's text as it is, for a person to go on from; null: only its compiled form is kept. */
  | { kind: 'drafted'; by: 'template'; text: string | null; reason: NotWritten['reason']; refused: string[] }
  /** It is not suggested, or needs no text. */
  | { kind: 'unknown' };

/** Have a model write the text that a suggestion needs. Nothing is stored: somebody reads it, changes it, and approves the suggestion with it. */
export async function draftSuggestedText(
  deps: Reads & Pick<Deps, 'clock' | 'sealing' | 'integrations' | 'log'>,
  { tenantId, id, sinceMs }: { tenantId: string; id: string; sinceMs: number },
): Promise<ScriptDrafted> {
  const found = (await readAll(deps, tenantId, sinceMs)).find(({ suggestion, isDismissed }) => suggestion.id === id && !isDismissed);
  const wanted = found?.suggestion.text ?? null;
  if (found === undefined || wanted === null) return { kind: 'unknown' };
  const { inUse } = await deps.db.withTenant(tenantId, (tx) => readInUse(tx, found.suggestion.sequence));
  const { channel, of, phrase, now } = wanted;
  const script = await writeScript(deps, { tenantId, channel, phrase, compiled: inUse?.content[copyNameOf(of, channel)], now });
  if (script.kind === 'written') return { kind: 'drafted', by: 'model', model: script.model, text: script.text };
  return { kind: 'drafted', by: 'template', text: now, reason: script.reason, refused: script.refused };
}

/** Translations that are there in compiled form alone. Those belong to the text that they were made from, and are left out beside another one. */
function translationsNotWritten({ channel, of }: Redraft, { content }: InUse, written: Readonly<Record<string, string>>): string[] {
  return Object.keys(content).filter((name) => isTranslationOf(name, copyNameOf(of, channel)) && written[name] === undefined);
}

/** The new text, and beside it what the step says on other channels and in other languages: there the two halves are the same. */
function textsWith(
  { channel, of, content }: Redraft,
  text: string,
  inUse: InUse,
  written: Readonly<Record<string, string>>,
): NonNullable<PublishApply['texts']> {
  const [original, renamed] = [copyNameOf(of, channel), copyNameOf(content, channel)];
  const others = Object.keys(inUse.content).filter((name) => readCopyName(name)?.content === of && name !== original);
  const nameOf = (name: string) => `${content}${name.slice(of.length)}`;
  const copied = <T>(from: Readonly<Record<string, T>>) =>
    Object.fromEntries(others.flatMap((name) => (from[name] === undefined ? [] : [[nameOf(name), from[name]]])));
  return { copy: { ...copied(written), [renamed]: text }, content: copied(inUse.content) };
}

/** A suggestion that somebody did not want. */
export interface Dismissal {
  sequence: string;
  step: string;
  kind: string;
  dismissedAtMs: number;
  /** As the audit log names them. */
  dismissedBy: string;
  reason: string;
  /** What it rested on. */
  n: number;
  rate: number;
}

/** The latest first. */
export function readDismissals(deps: Pick<Deps, 'db'>, tenantId: string): Promise<Dismissal[]> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select({ dismissal: suggestionDismissals, slug: sequences.slug })
      .from(suggestionDismissals)
      .innerJoin(sequences, eq(sequences.id, suggestionDismissals.sequenceId))
      .orderBy(desc(suggestionDismissals.dismissedAt));
    return rows.map(({ slug, dismissal: { stepId, kind, dismissedAt, dismissedBy, reason, evidence } }) => ({
      ...{ sequence: slug, step: stepId, kind, dismissedAtMs: dismissedAt, dismissedBy, reason, n: evidence.n, rate: evidence.rate },
    }));
  });
}

/**
 * Do not suggest this again while it rests on the same. @returns null: it is not suggested, or not any more
 * Source: docs/rules.md#rule-132
 */
export async function dismissSuggestion(
  deps: Reads & Pick<Deps, 'clock'>,
  { tenantId, id, sinceMs, actor, reason }: { tenantId: string; id: string; sinceMs: number; actor: string; reason: string },
): Promise<Dismissal | null> {
  const found = (await readAll(deps, tenantId, sinceMs)).find(({ suggestion, isDismissed }) => suggestion.id === id && !isDismissed);
  if (found === undefined) return null;
  const { sequence, step, evidence: now } = found.suggestion;
  const kind = dismissalKey(found.suggestion.kind, now);
  const { n, rate, interval, because } = now;
  const dismissedAt = deps.clock.nowMs();
  const about = { evidence: { n, rate, interval, because }, dismissedAt, dismissedBy: actor, reason };
  await deps.db.withTenant(tenantId, async (tx) => {
    const { stepId, sequenceId } = { stepId: step, sequenceId: found.sequenceId };
    await tx
      .insert(suggestionDismissals)
      .values({ tenantId, sequenceId, stepId, kind, ...about })
      .onConflictDoUpdate({
        target: [suggestionDismissals.tenantId, suggestionDismissals.sequenceId, suggestionDismissals.stepId, suggestionDismissals.kind],
        set: about,
      });
    await recordAudit(tx, { tenantId, actor, action: 'suggestion.dismiss', subject: id, data: { sequence, step, kind, reason } });
  });
  return { sequence, step, kind, dismissedAtMs: dismissedAt, dismissedBy: actor, reason, n, rate };
}
