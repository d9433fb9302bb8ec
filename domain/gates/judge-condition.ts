import { minorDigits } from '../money.ts';
import type { Condition } from '../sequence/definition.ts';
import type { Facts, MessageFacts } from './facts.ts';

/** What a condition came to. `read` names every part of it; an undecidable part counts as false and is listed. */
export interface Judgement {
  holds: boolean;
  read: Record<string, boolean>;
  undecidable: string[];
}

type Known = Pick<Facts, 'subject' | 'messages'>;

/** Judge a condition. All its parts are read, so that the record is complete. */
export function judge(condition: Condition, facts: Known): Judgement {
  const read: Record<string, boolean> = {};
  const undecidable: string[] = [];
  const part = (name: string, answer: boolean | null): boolean => {
    read[name] = answer ?? false;
    if (answer === null && !undecidable.includes(name)) undecidable.push(name);
    return answer ?? false;
  };
  const holds = (node: Condition): boolean => {
    if (node === 'converted') return part('converted', facts.subject.state === 'converted');
    if ('opened' in node) return part(`opened ${node.opened}`, reaction(facts.messages[node.opened], 'opened'));
    if ('clicked' in node) return part(`clicked ${node.clicked}`, reaction(facts.messages[node.clicked], 'clicked'));
    if ('segment' in node) return part(`segment ${node.segment}`, isSegment(node.segment, facts));
    if ('value' in node) return part(`value ${range(node.value)}`, isValue(node.value, facts));
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

function isSegment(segment: string, { subject }: Known): boolean {
  return subject.segment === segment || subject.modifiers.some((modifier) => modifier === segment);
}

function isValue({ atLeast, below }: { atLeast?: number | undefined; below?: number | undefined }, { subject }: Known): boolean | null {
  const digits = subject.currency === null ? null : minorDigits(subject.currency);
  if (subject.valueMinor === null || digits === null) return null;
  const minor = (major: number) => Math.round(major * 10 ** digits);
  return (atLeast === undefined || subject.valueMinor >= minor(atLeast)) && (below === undefined || subject.valueMinor < minor(below));
}

function range({ atLeast, below }: { atLeast?: number | undefined; below?: number | undefined }): string {
  return [atLeast === undefined ? null : `at least ${atLeast}`, below === undefined ? null : `below ${below}`].filter(Boolean).join(', ');
}
