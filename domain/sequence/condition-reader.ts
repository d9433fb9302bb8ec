import { segmentNames } from '../people/segments.ts';
import type { Segment } from '../people/segments.ts';
import type { Condition } from './definition.ts';

/** Reports a mistake below the condition. @param path - from the condition's own node */
export type Report = (path: (string | number)[], message: string) => void;

const kinds = 'converted, opened, clicked, segment, value, not, all or any';
const deepest = 8;

type Path = (string | number)[];
type KindOf<C> = C extends string ? C : keyof C;
/** Reads what stands behind one kind of condition. */
type Read = (inner: unknown, report: Report, path: Path) => Condition | null;

const readers: Readonly<Record<Exclude<KindOf<Condition>, 'converted'>, Read>> = {
  opened: (inner, report, path) => (typeof inner === 'string' ? { opened: inner } : refuse(report, path, 'must name a step, such as email_2h')),
  clicked: (inner, report, path) => (typeof inner === 'string' ? { clicked: inner } : refuse(report, path, 'must name a step, such as email_2h')),
  segment: (inner, report, path) => (isSegment(inner) ? { segment: inner } : refuse(report, path, `must be one of ${segmentNames.join(', ')}`)),
  value: readValue,
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
  if (value === 'converted') return value;
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

function readValue(value: unknown, report: Report, path: Path): Condition | null {
  const bounds: { atLeast?: number; below?: number } = {};
  const entries = isRecord(value) ? Object.entries(value) : [];
  for (const [name, bound] of entries) {
    const usable = (name === 'atLeast' || name === 'below') && typeof bound === 'number' && Number.isFinite(bound) && bound >= 0;
    if (!usable) return refuse(report, [...path, name], 'must be atLeast or below with an amount in the subject’s currency, such as 129.90');
    bounds[name] = bound;
  }
  if (entries.length === 0) return refuse(report, path, 'must be { atLeast: 100 } or { below: 100 }, an amount in the subject’s currency');
  return { value: bounds };
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

function isKind(kind: string): kind is keyof typeof readers {
  return Object.hasOwn(readers, kind);
}
