import { segmentNames } from '../people/segments.ts';
import type { Segment } from '../people/segments.ts';
import { type SilenceStage, silenceStages } from '../people/silence-stage.ts';
import type { Condition, Range } from './definition.ts';

/** Reports a mistake below the condition. @param path - from the condition's own node */
export type Report = (path: (string | number)[], message: string) => void;

const kinds = 'converted, opened, clicked, replied, segment, stage, value, stock, attribute, arm, not, all or any';
const deepest = 8;

type Path = (string | number)[];
type KindOf<C> = C extends string ? never : keyof C;
/** Reads what stands behind one kind of condition. */
type Read = (inner: unknown, report: Report, path: Path) => Condition | null;

const readers: Readonly<Record<KindOf<Condition>, Read>> = {
  opened: (inner, report, path) => (typeof inner === 'string' ? { opened: inner } : refuse(report, path, 'must name a step, such as email_2h')),
  clicked: (inner, report, path) => (typeof inner === 'string' ? { clicked: inner } : refuse(report, path, 'must name a step, such as email_2h')),
  segment: (inner, report, path) => (isSegment(inner) ? { segment: inner } : refuse(report, path, `must be one of ${segmentNames.join(', ')}`)),
  replied: (inner, report, path) => (typeof inner === 'string' ? { replied: inner } : refuse(report, path, 'must name a step, such as email_2h')),
  stage: (inner, report, path) => (isStage(inner) ? { stage: inner } : refuse(report, path, `must be one of ${silenceStages.join(', ')}`)),
  value: (inner, report, path) => {
    const value = readRange(inner, report, path, 'an amount in the subject’s currency, such as 129.90');
    return value === null ? null : { value };
  },
  stock: (inner, report, path) => {
    const stock = readRange(inner, report, path, 'a number of units, such as 5');
    return stock === null ? null : { stock };
  },
  attribute: readAttribute,
  arm: (inner, report, path) =>
    typeof inner === 'string' ? { arm: inner } : refuse(report, path, 'must name an arm of the sequence, such as short'),
  not: (inner, report, path) => {
    const negated = readCondition(inner, report, path);
    return negated === null ? null : { not: negated };
  },
  all: (inner, report, path) => {
    const parts = readParts(inner, report, path);
    return parts === null ? null : { all: parts };
  },
  any: (inner, report, path) => {
    const parts = readParts(inner, report, path);
    return parts === null ? null : { any: parts };
  },
};

/**
 * Read a condition as a sequence file writes it. Written by hand, because a schema's "no alternative matched" does not help an author.
 * @returns null after at least one report
 */
export function readCondition(value: unknown, report: Report, path: Path = []): Condition | null {
  if (value === 'converted' || value === 'replied') return value;
  if (path.length > deepest * 2) return refuse(report, path, `nests too deeply: ${deepest} levels at most`);
  if (!isRecord(value)) return refuse(report, path, `is no condition: write ${kinds}, for example { not: { clicked: email_2h } }`);
  const [entry, ...rest] = Object.entries(value);
  if (entry === undefined || rest.length > 0) return refuse(report, path, 'must hold exactly one condition: join several with all or any');
  const [kind, inner] = entry;
  const below = [...path, kind];
  return isKind(kind) ? readers[kind](inner, report, below) : refuse(report, below, `is no condition: write ${kinds}`);
}

function readParts(inner: unknown, report: Report, path: Path): Condition[] | null {
  if (!Array.isArray(inner) || inner.length === 0) return refuse(report, path, 'must be a list of conditions');
  // Every part is read, so that all mistakes are reported at once.
  const parts = inner.map((part: unknown, index) => readCondition(part, report, [...path, index]));
  const read = parts.filter((part) => part !== null);
  return read.length < parts.length ? null : read;
}

function readRange(value: unknown, report: Report, path: Path, of: string): Range | null {
  if (!isRecord(value) || Object.keys(value).length === 0) return refuse(report, path, `must be { atLeast: … } or { below: … } with ${of}`);
  return readBounds(Object.entries(value), report, path, of);
}

/** An attribute's name, and either the values that it may have or a range. */
function readAttribute(inner: unknown, report: Report, path: Path): Condition | null {
  const example = 'must be { name: contact.country, is: AT }, { name: …, is: [AT, DE] } or { name: cart.units, atLeast: 3 }';
  if (!isRecord(inner) || typeof inner['name'] !== 'string') return refuse(report, path, example);
  const { name, is, ...bounds } = inner;
  const entries = Object.entries(bounds);
  if (is === undefined) {
    if (entries.length === 0) return refuse(report, path, example);
    const range = readBounds(entries, report, path, 'a number');
    return range === null ? null : { attribute: { name, ...range } };
  }
  if (entries.length > 0) return refuse(report, path, 'asks for values and for a range: write two conditions and join them with all');
  const values: unknown[] = Array.isArray(is) ? is : [is];
  const read = values.filter(isPlain);
  if (read.length < values.length || read.length === 0)
    return refuse(report, [...path, 'is'], 'must be a text, a number, true or false, or a list of these');
  return { attribute: { name, is: read } };
}

function readBounds(entries: [string, unknown][], report: Report, path: Path, of: string): Range | null {
  const bounds: Range = {};
  for (const [name, bound] of entries) {
    const usable = (name === 'atLeast' || name === 'below') && typeof bound === 'number' && Number.isFinite(bound) && bound >= 0;
    if (!usable) return refuse(report, [...path, name], `must be atLeast or below with ${of}`);
    bounds[name] = bound;
  }
  if (bounds.atLeast !== undefined && bounds.below !== undefined && bounds.atLeast >= bounds.below)
    return refuse(report, path, `can never hold: nothing is at least ${bounds.atLeast} and below ${bounds.below}`);
  return bounds;
}

function refuse(report: Report, path: Path, message: string): null {
  report(path, message);
  return null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSegment(value: unknown): value is Segment {
  return segmentNames.some((name) => name === value);
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
}

function isStage(value: unknown): value is SilenceStage {
  return silenceStages.some((name) => name === value);
}

function isKind(kind: string): kind is keyof typeof readers {
  return Object.hasOwn(readers, kind);
}
