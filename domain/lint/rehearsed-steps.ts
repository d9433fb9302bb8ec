import { channelNames } from '../channels/index.ts';
import { claimNames } from '../claims/index.ts';
import type { ChannelFacts } from '../gates/facts.ts';
import type { RehearsalEvent } from '../rehearsal/events.ts';
import { type LogEntryOf, rehearse } from '../rehearsal/rehearse.ts';
import { baseSegments } from '../people/segments.ts';
import type { SequenceDefinition } from '../sequence/definition.ts';
import type { EpochMs } from '../sequence/plan.ts';
import { differInReach } from '../sequence/step-of-variant.ts';
import type { Finding, Linted, LintRule } from './finding.ts';

const hourMs = 3_600_000;
const usable: ChannelFacts = { connected: true, hasAddress: true, suppressed: false, consent: 'granted', requiresConsent: true, refused: false };
/** A Monday, so that seven days later every day of the week has been tried. */
const firstMs = Date.UTC(2026, 2, 2);

/** What happened to a step in one rehearsal, and when its subject had been left. */
interface Outcome {
  leftMs: EpochMs;
  entry: LogEntryOf<'skipped'> | LogEntryOf<'sent'>;
}

/**
 * Steps that the sequence itself, with the store's quiet hours and caps, keeps from going out to somebody whom every channel reaches. Found by rehearsing it, for people who do
 * nothing, open everything, and follow every link, at every hour of a week.
 */
export const stepsThatCannotGoOut: LintRule = (about) => {
  const byStep = new Map<string, Outcome[]>();
  for (const outcome of rehearsed(about)) byStep.set(outcome.entry.step, [...(byStep.get(outcome.entry.step) ?? []), outcome]);
  return about.definition.steps.flatMap(({ id, lapsesWith }, index) => {
    // One that lapses with another is lost by its author's wish.
    const findings = findingsOf(byStep.get(id) ?? [], ['steps', index], about.definition.whenCapped === 'wait');
    return lapsesWith === null ? findings : findings.filter(({ rule }) => rule === 'unreachable');
  });
};

function findingsOf(outcomes: readonly Outcome[], path: Finding['path'], mayWait: boolean): Finding[] {
  const asked = outcomes.filter(({ entry }) => entry.kind === 'sent' || (entry.reason !== 'condition' && entry.reason !== 'silent'));
  const lost = asked.flatMap(({ leftMs, entry }) => (entry.kind === 'skipped' ? [{ leftMs, entry }] : []));
  const [example] = lost;
  if (example === undefined) return [];
  const note = example.entry.checks.find(({ result }) => result !== 'pass' && result !== 'defer')?.note ?? example.entry.reason;
  const waits = example.entry.checks.filter(({ result }) => result === 'defer').map(({ gate }) => waitWords[gate] ?? gate);
  const why = waits.length === 0 ? '' : `: it waits for ${waits.join(' and ')}`;
  // With `whenCapped: wait` in the sequence, a cap costs time and no message.
  const instead =
    example.entry.reason === 'capped' && !mayWait
      ? 'Move it, give it a longer `expires`, or let the sequence say `whenCapped: wait`'
      : 'Move it, or give it a longer `expires`';
  const remedy = `${why}. ${note} ${instead}`;
  const [rule, often] =
    lost.length === asked.length
      ? ['unreachable', 'never goes out']
      : ['may_be_lost', `is lost where the subject is left ${dayAndHour(example.leftMs)}`];
  return [{ rule, severity: 'warning', path, message: `${often}${remedy}` }];
}

const waitWords: Readonly<Record<string, string>> = {
  quiet_hours: 'the end of the quiet hours',
  send_window: 'its own `window`',
  campaign_schedule: 'the hours of its campaign',
  best_hour: 'the hour at which people read emails (`bestHour`)',
  variant_time: 'the time of its variant (`later`)',
  legal_hours: 'the hours that the law allows',
  blackout: 'the end of a blackout of the store',
  gap: 'three hours between two messages',
  cap: 'room under the caps of the store',
};

function rehearsed(about: Linted): Outcome[] {
  const { definition, settings } = about;
  // Conditions are judged by a rule of their own; here, everything that somebody might get counts.
  const arms = definition.arms?.map(({ id }) => ({ arm: id })) ?? [{}];
  const variants = variantsToTry(definition);
  const people = [[], reactions(about, 'message.opened'), reactions(about, 'message.clicked')];
  return Array.from({ length: 7 * 24 }, (_, hour) => firstMs + hour * hourMs).flatMap((leftMs) =>
    // At every hour for people who do nothing; at one of each day for the others.
    people.slice(0, leftMs % (24 * hourMs) === 10 * hourMs ? 3 : 1).flatMap((happens) =>
      baseSegments.slice(0, happens.length === 0 && leftMs % (24 * hourMs) !== 10 * hourMs ? 1 : 3).flatMap((segment) =>
        arms.flatMap((arm) =>
          variants.flatMap((chosen) => {
            const events = [{ type: 'subject.updated' as const, atMs: leftMs }, ...happens.map((event) => ({ ...event, atMs: leftMs + event.atMs }))];
            const { log } = rehearse(definition, events, {
              settings,
              segment,
              timeZones: [settings.timeZone],
              channels: Object.fromEntries(channelNames.map((channel) => [channel, usable])),
              claims: { assumed: claimNames },
              ...arm,
              variants: chosen,
            });
            return log.flatMap((entry) => (entry.kind === 'sent' || entry.kind === 'skipped' ? [{ leftMs, entry }] : []));
          }),
        ),
      ),
    ),
  );
}

/** Each variant once where variants differ in more than their texts: of steps that have several, the first with the first, the second with the second. */
function variantsToTry({ steps }: SequenceDefinition): Readonly<Record<string, string>>[] {
  const differing = steps.flatMap(({ id, variants = [] }) =>
    differInReach(variants) || variants.some(({ laterMs }) => laterMs !== undefined) ? [{ id, variants }] : [],
  );
  const most = Math.max(1, ...differing.map(({ variants }) => variants.length));
  return Array.from({ length: most }, (_, nth) =>
    Object.fromEntries(differing.map(({ id, variants }) => [id, variants[nth % variants.length]?.id ?? ''])),
  );
}

/** Opens or clicks of every step, again and again: what was not sent yet is not opened. Times are spans. */
function reactions({ definition: { steps, maxAgeMs } }: Linted, type: 'message.opened' | 'message.clicked'): RehearsalEvent[] {
  const everyMs = Math.max(hourMs, maxAgeMs / 200);
  return Array.from({ length: Math.floor(maxAgeMs / everyMs) }, (_, n) => (n + 1) * everyMs - 1).flatMap((atMs) =>
    steps.map(({ id }) => ({ type, step: id, atMs })),
  );
}

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
function dayAndHour(atMs: EpochMs): string {
  const at = new Date(atMs);
  return `on a ${days[at.getUTCDay()]} at ${at.toISOString().slice(11, 16)} UTC`;
}
