import { judge } from '../gates/judge-condition.ts';
import { plainSetting } from '../rehearsal/world.ts';
import { minorDigits } from '../money.ts';
import { baseSegments } from '../people/segments.ts';
import { silenceStages, silentForMs } from '../people/silence-stage.ts';
import { compilePlan } from '../sequence/compile-plan.ts';
import { type Condition, partsOf, type Range } from '../sequence/definition.ts';
import { newEnrollment, progressOf } from '../sequence/progress.ts';
import type { AttributeValue } from '../subjects/attributes.ts';
import type { Finding, Linted, LintRule } from './finding.ts';

type Facts = Parameters<typeof judge>[1];
/** Changes the facts in one respect. */
type Change = (facts: Facts) => Facts;

const nowMs = Date.UTC(2026, 0, 1);
/** More combinations than this are not tried: such a condition is taken to be satisfiable. */
const mostCombinations = 50_000;

/**
 * A condition that no person can ever meet: its step never goes out. Every combination of what it asks is put to the very function that
 * judges it at dispatch.
 */
export const conditionsThatNeverHold: LintRule = (about) =>
  about.definition.steps.flatMap(({ when }, index): Finding[] => {
    if (when === null || canHold(when, about)) return [];
    const reasons = partsOf(when).flatMap((part) => whyNever(part, about) ?? []);
    const because = [...new Set(reasons)].join('; ');
    const message = `never holds${because === '' ? ': its parts exclude each other' : `: ${because}`}. The step is never sent: change the condition, or remove the step`;
    return [{ rule: 'unreachable', severity: 'warning', path: ['steps', index, 'when'], message }];
  });

function canHold(when: Condition, about: Linted): boolean {
  const choices = choicesOf(when, about);
  if (choices.reduce((product, { length }) => product * length, 1) > mostCombinations) return true;
  const plan = compilePlan(about.definition, 1, 1);
  const facts: Facts = {
    settings: plainSetting.settings,
    plan,
    progress: progressOf(newEnrollment(nowMs, 1), []),
    subject: {
      state: 'open',
      boughtBy: 'key',
      lastActivityMs: nowMs,
      valueMinor: null,
      currency: 'EUR',
      segment: 'FIRST_TIME',
      modifiers: [],
      stock: [],
    },
    attributes: {},
    person: {
      contacts: [{ lifecycle: 'IN_PROGRESS', lastOrderMs: null, lastReplyMs: null, lastSeenMs: null }],
      sends: [],
      upcoming: [],
      zones: { timeZones: plainSetting.timeZones, basis: 'stated', country: null, place: plainSetting.place },
    },
    messages: {},
  };
  const tryFrom = (index: number, so: Facts): boolean => {
    const [choice] = choices.slice(index, index + 1);
    if (choice === undefined) return judge(when, so, nowMs).holds;
    return choice.some((change) => tryFrom(index + 1, change(so)));
  };
  return tryFrom(0, facts);
}

/** Whatever a condition may find, one list for each thing that it asks about. */
function choicesOf(when: Condition, about: Linted): Change[][] {
  const parts = partsOf(when);
  const choices: Change[][] = [];
  const asks = (kind: string) => parts.some((part) => typeof part !== 'string' && kind in part);
  const subject =
    (change: Partial<Facts['subject']>): Change =>
    (facts) => ({ ...facts, subject: { ...facts.subject, ...change } });
  const message =
    (id: string, change: Partial<Facts['messages'][string]>): Change =>
    (facts) => {
      const before = facts.messages[id] ?? { sentAtMs: null, opened: false, clicked: false };
      return { ...facts, messages: { ...facts.messages, [id]: { ...before, ...change } } };
    };
  const contact =
    (lastReplyMs: number | null): Change =>
    (facts) => ({
      ...facts,
      person: { ...facts.person, contacts: facts.person.contacts.map((one) => ({ ...one, lastReplyMs })) },
    });

  // A subject that was bought, and a person who replied where that ends the sequence, have no next step.
  if (asks('segment')) {
    choices.push(baseSegments.map((segment) => subject({ segment })));
    choices.push([subject({ modifiers: [] }), subject({ modifiers: ['LOW_STOCK'] })]);
  }
  const arms = about.definition.arms ?? [];
  if (asks('arm'))
    choices.push(
      arms.map(({ id }) => (facts) => ({ ...facts, arm: id })),
    );
  if (asks('stage')) choices.push(silenceStages.map((stage) => subject({ lastActivityMs: nowMs - silentForMs(stage) })));
  const values = parts.flatMap((part) => (typeof part !== 'string' && 'value' in part ? [part.value] : []));
  if (values.length > 0)
    choices.push(
      [null, ...candidates(values)].map((major) =>
        subject({ valueMinor: major === null ? null : Math.round(major * 10 ** (minorDigits('EUR') ?? 2)) }),
      ),
    );
  const stocks = parts.flatMap((part) => (typeof part !== 'string' && 'stock' in part ? [part.stock] : []));
  // Of two things one may be scarce and the other not.
  if (stocks.length > 0) {
    const units = candidates(stocks).map(Math.round);
    choices.push([[], ...units.flatMap((one) => units.map((other) => [one, other]))].map((stock) => subject({ stock })));
  }
  for (const id of new Set(
    parts.flatMap((part) =>
      typeof part === 'string' ? [] : 'opened' in part ? [part.opened] : 'clicked' in part ? [part.clicked] : 'replied' in part ? [part.replied] : [],
    ),
  )) {
    const sentAtMs = nowMs - 3;
    const sent = [
      { opened: false, clicked: false },
      { opened: true, clicked: false },
      { opened: true, clicked: true },
    ].map((seen) => message(id, { sentAtMs, ...seen }));
    choices.push(isEverSent(id, about) ? [message(id, {}), ...sent] : [message(id, {})]);
  }
  if (!about.definition.stopOn.includes('replied') && parts.some((part) => part === 'replied' || (typeof part !== 'string' && 'replied' in part)))
    choices.push([contact(null), contact(nowMs + 1), contact(nowMs - 1)]);
  const tests = parts.flatMap((part) => (typeof part !== 'string' && 'attribute' in part ? [part.attribute] : []));
  for (const name of new Set(tests.map((test) => test.name))) {
    const asked = tests.filter((test) => test.name === name);
    const listed: AttributeValue[] = asked.flatMap((test) => ('is' in test ? test.is : []));
    const ranges = asked.flatMap((test) => ('is' in test ? [] : [test]));
    const values: AttributeValue[] = [null, 'anything else', ...listed, ...candidates(ranges)];
    choices.push(values.map((value) => (facts) => ({ ...facts, attributes: { ...facts.attributes, [name]: value } })));
  }
  return choices;
}

/** Numbers within, at and beyond the bounds of ranges. */
function candidates(ranges: readonly Range[]): number[] {
  const bounds = [...new Set(ranges.flatMap(({ atLeast, below }) => [atLeast, below].filter((bound) => bound !== undefined)))].sort((a, b) => a - b);
  if (bounds.length === 0) return [];
  const between = bounds.map((bound, index) => ((bounds[index - 1] ?? 0) + bound) / 2);
  return [0, ...bounds, ...between, (bounds.at(-1) ?? 0) + 1];
}

function isEverSent(stepId: string, { definition: { steps } }: Linted): boolean {
  const channels = steps.find(({ id }) => id === stepId)?.channels ?? [];
  return channels.some((channel) => channel !== 'none');
}

/** Why a part is always false by itself; null: it may be true. */
function whyNever(part: ReturnType<typeof partsOf>[number], about: Linted): string | null {
  const { noun } = about.kind.words;
  if (part === 'converted') return `a sequence ends when its ${noun} is bought, so \`converted\` is never true`;
  const asksForReply = part === 'replied' || (typeof part !== 'string' && 'replied' in part);
  if (asksForReply && about.definition.stopOn.includes('replied')) return 'the sequence ends at a reply (`stopOn`), so `replied` is never true';
  if (typeof part === 'string') return null;
  const named = 'opened' in part ? part.opened : 'clicked' in part ? part.clicked : 'replied' in part ? part.replied : null;
  return named === null || isEverSent(named, about)
    ? null
    : `\`${named}\` only marks the time, so nobody opens it, follows a link in it or replies to it`;
}
