import { minorDigits } from '../money.ts';
import { silenceStageAt } from '../people/silence-stage.ts';
import type { AttributeTest, Condition, Range } from '../sequence/definition.ts';
import type { EpochMs } from '../sequence/plan.ts';
import type { Facts, MessageFacts } from './facts.ts';
import { latestOf } from './latest.ts';

/** What a condition came to. `read` names every part of it; an undecidable part counts as false and is listed. */
export interface Judgement {
  holds: boolean;
  read: Record<string, boolean>;
  undecidable: string[];
}

type Known = Pick<Facts, 'plan' | 'progress' | 'subject' | 'attributes' | 'person' | 'messages' | 'settings' | 'arm'>;

/** Judge a condition. All its parts are read, so that the record is complete. */
export function judge(condition: Condition, facts: Known, nowMs: EpochMs): Judgement {
  const read: Record<string, boolean> = {};
  const undecidable: string[] = [];
  const part = (name: string, answer: boolean | null): boolean => {
    read[name] = answer ?? false;
    if (answer === null && !undecidable.includes(name)) undecidable.push(name);
    return answer ?? false;
  };
  const holds = (node: Condition): boolean => {
    if (node === 'converted') return part('converted', facts.subject.state === 'converted');
    if (node === 'replied') return part('replied', hasReplied(facts, facts.progress.anchorMs));
    if ('opened' in node) return part(`opened ${node.opened}`, reaction(facts.messages[node.opened], 'opened'));
    if ('clicked' in node) return part(`clicked ${node.clicked}`, reaction(facts.messages[node.clicked], 'clicked'));
    if ('replied' in node) return part(`replied ${node.replied}`, hasReplied(facts, facts.messages[node.replied]?.sentAtMs ?? null));
    if ('segment' in node) return part(`segment ${node.segment}`, isSegment(node.segment, facts));
    if ('stage' in node) return part(`stage ${node.stage}`, stageOf(facts, nowMs) === node.stage);
    if ('value' in node) return part(`value ${inWords(node.value)}`, isValue(node.value, facts));
    if ('stock' in node) return part(`stock ${inWords(node.stock)}`, isStock(node.stock, facts));
    if ('attribute' in node) return part(`attribute ${nameOf(node.attribute)}`, isAttribute(node.attribute, facts));
    if ('arm' in node) return part(`arm ${node.arm}`, facts.arm === undefined ? null : facts.arm === node.arm);
    if ('not' in node) return !holds(node.not);
    if ('all' in node) return node.all.map(holds).every(Boolean);
    return node.any.map(holds).some(Boolean);
  };
  return { holds: holds(condition), read, undecidable };
}

function reaction(message: MessageFacts | undefined, kind: 'opened' | 'clicked'): boolean | null {
  // What was never sent was certainly not opened.
  return message === undefined || message.sentAtMs === null ? false : message[kind];
}

/** Whether the person has written to the store since. @param sinceMs - null: what it would have been a reply to was never sent */
function hasReplied({ person }: Known, sinceMs: EpochMs | null): boolean {
  const lastReplyMs = latestOf(person.contacts, 'lastReplyMs');
  return sinceMs !== null && lastReplyMs !== null && lastReplyMs > sinceMs;
}

function isSegment(segment: string, { subject }: Known): boolean {
  return subject.segment === segment || subject.modifiers.some((modifier) => modifier === segment);
}

/** Our own messages do not end a silence, or no stage after the first would ever be reached. */
function stageOf({ subject, person, plan, progress, settings }: Known, nowMs: EpochMs) {
  // A silence that counts has its last contact as its anchor.
  if (plan.silence === true && progress.activatedAtMs !== null)
    return silenceStageAt(progress.anchorMs, nowMs, plan.timeScale, settings.silenceHours);
  const signs = [
    subject.lastContactMs ?? subject.lastActivityMs,
    latestOf(person.contacts, 'lastReplyMs') ?? 0,
    latestOf(person.contacts, 'lastSeenMs') ?? 0,
  ];
  return silenceStageAt(Math.max(...signs), nowMs, plan.timeScale, settings.silenceHours);
}

function isValue(asked: Range, { subject }: Known): boolean | null {
  const digits = subject.currency === null ? null : minorDigits(subject.currency);
  if (subject.valueMinor === null || digits === null) return null;
  const minor = (major: number | undefined) => (major === undefined ? undefined : Math.round(major * 10 ** digits));
  return isIn({ atLeast: minor(asked.atLeast), below: minor(asked.below) }, subject.valueMinor);
}

/** Of any one thing in the subject. One whose stock is not known might be the one. */
function isStock(asked: Range, { subject: { stock } }: Known): boolean | null {
  if (stock.some((units) => units !== null && isIn(asked, units))) return true;
  return stock.length === 0 || stock.includes(null) ? null : false;
}

function isAttribute(test: AttributeTest, { attributes }: Known): boolean | null {
  const value = Object.hasOwn(attributes, test.name) ? (attributes[test.name] ?? null) : null;
  if (value === null) return null;
  if (!('is' in test)) return typeof value === 'number' ? isIn(test, value) : null;
  const plain = (one: string | number | boolean) => String(one).trim().toLowerCase();
  return test.is.some((one) => plain(one) === plain(value));
}

function isIn({ atLeast, below }: Range, value: number): boolean {
  return (atLeast === undefined || value >= atLeast) && (below === undefined || value < below);
}

function inWords({ atLeast, below }: Range): string {
  return [atLeast === undefined ? null : `at least ${atLeast}`, below === undefined ? null : `below ${below}`].filter(Boolean).join(', ');
}

function nameOf(test: AttributeTest): string {
  return 'is' in test ? `${test.name} is ${test.is.join(' or ')}` : `${test.name} ${inWords(test)}`;
}
