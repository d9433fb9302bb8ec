import { account } from './account/index.ts';
import { cart } from './cart/index.ts';
import { lead } from './lead/index.ts';
import { type SubjectKind, triggersOf } from './kind.ts';

/** A kind, as code that handles all kinds sees it: only the kind itself reads its details and reports, which its own schema has parsed. */
export type AnySubjectKind = SubjectKind<unknown, unknown>;

/** The kinds that an installation knows. */
export interface SubjectKinds {
  all: readonly AnySubjectKind[];
  /** @throws RangeError when it is not registered: a row of a kind that this build does not know */
  of(kind: string): AnySubjectKind;
  /** The kind whose sequences a trigger starts; null: none. */
  ofTrigger(trigger: string): AnySubjectKind | null;
}

/** A registry of kinds. @throws RangeError when two of them have a name or a trigger in common */
export function subjectKindsOf(all: readonly AnySubjectKind[]): SubjectKinds {
  const byKind = new Map(all.map((kind) => [kind.kind, kind]));
  const triggers = all.flatMap((kind) => triggersOf(kind).map((trigger) => [trigger, kind] as const));
  const byTrigger = new Map(triggers);
  if (byKind.size < all.length || byTrigger.size < triggers.length) throw new RangeError('two kinds of subject have a name or a trigger in common');
  return {
    all,
    of(kind) {
      const known = byKind.get(kind);
      if (known === undefined) throw new RangeError(`"${kind}" is no kind of subject here: known are ${[...byKind.keys()].join(', ')}`);
      return known;
    },
    ofTrigger: (trigger) => byTrigger.get(trigger) ?? null,
  };
}

/** Every kind of the product. A new kind is one more line here. */
export const subjectKinds = subjectKindsOf([cart, lead, account]);
