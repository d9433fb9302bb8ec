/** How far a store has come with a person. `DO_NOT_CONTACT` is final (docs/rules.md#rule-13). */
export const lifecycles = ['NEW', 'IN_PROGRESS', 'CONTACTED', 'CONVERTED', 'REJECTED', 'DO_NOT_CONTACT'] as const;
export type Lifecycle = (typeof lifecycles)[number];

/**
 * What changes a lifecycle. `begun`: a sequence about the person has begun. `contacted`: a message reached its provider, or a sequence ran to its end.
 * `bought`: an order of theirs. `sale` and `reject`: what a tracker or an advertiser says became of the lead. `closed`: a complaint, a request never to
 * be contacted again, or an operator's mark.
 */
export const lifecycleChanges = ['begun', 'contacted', 'bought', 'sale', 'reject', 'closed'] as const;
export type LifecycleChange = (typeof lifecycleChanges)[number];

/** Absent: nothing changes. `DO_NOT_CONTACT` is in no row, so nothing leads out of it. */
const transitions: Record<LifecycleChange, Partial<Record<Lifecycle, Lifecycle>>> = {
  begun: { NEW: 'IN_PROGRESS' },
  contacted: { NEW: 'CONTACTED', IN_PROGRESS: 'CONTACTED' },
  // An order lifts no refusal: what an advertiser refused, only its tracker takes back.
  bought: { NEW: 'CONVERTED', IN_PROGRESS: 'CONVERTED', CONTACTED: 'CONVERTED' },
  sale: { NEW: 'CONVERTED', IN_PROGRESS: 'CONVERTED', CONTACTED: 'CONVERTED', REJECTED: 'CONVERTED' },
  reject: { NEW: 'REJECTED', IN_PROGRESS: 'REJECTED', CONTACTED: 'REJECTED', CONVERTED: 'REJECTED' },
  closed: {
    NEW: 'DO_NOT_CONTACT',
    IN_PROGRESS: 'DO_NOT_CONTACT',
    CONTACTED: 'DO_NOT_CONTACT',
    CONVERTED: 'DO_NOT_CONTACT',
    REJECTED: 'DO_NOT_CONTACT',
  },
};

/** The lifecycle after a change: the only place where one is decided. */
export const lifecycleAfter = (now: Lifecycle, change: LifecycleChange): Lifecycle => transitions[change][now] ?? now;

/** Nothing is sent to them any more, and nothing begins. */
export const isClosed = (lifecycle: Lifecycle): boolean => lifecycle === 'DO_NOT_CONTACT' || lifecycle === 'REJECTED';

/** Of several contacts that turned out to be one person: what closes the most stays, then what came furthest. */
const furthest: readonly Lifecycle[] = ['NEW', 'IN_PROGRESS', 'CONTACTED', 'CONVERTED', 'REJECTED', 'DO_NOT_CONTACT'];

export const unitedLifecycle = (all: readonly Lifecycle[]): Lifecycle =>
  all.reduce<Lifecycle>((kept, other) => (furthest.indexOf(other) > furthest.indexOf(kept) ? other : kept), 'NEW');
