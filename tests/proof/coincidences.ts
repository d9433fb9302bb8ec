import { type Behaviour, latestAcceptanceMs, times } from './far-end.ts';
import { behaviour, lives, stopPoints } from './faults.ts';
import type { MoveName } from './moves/index.ts';
import { isNumberAlone } from './people.ts';
import type { ActionPlan, Companion, DispatchPlan, Doing, HistoryPlan, ProcessPlan, Scene, When } from './plan.ts';
import type { Providers } from './world.ts';
import type { Random } from '../chaos/random.ts';

/** What a coincidence is made of. */
interface Parts {
  random: Random;
  plan: HistoryPlan;
  /** The dispatch in which it happens, and the others. */
  first: DispatchPlan;
  others: DispatchPlan[];
  /** A call that is never answered, and accepted at once or never. */
  hangs: Behaviour;
}

type Coincidence = (parts: Parts) => HistoryPlan;

/** Rare coincidences that chance alone would seldom bring about. A new one is a function and a line here, with how often it is played. */
const coincidences: readonly (readonly [number, Coincidence])[] = [
  [4.5, ({ plan }) => plan],
  [1.6, lateCall],
  [1, lateSettle],
  [1, lateAcceptance],
  [1, mergeInCall],
  [1.3, refusedForGood],
  [1.3, oneChannelCloses],
  [0.8, leftAlone],
  [1.4, stopInCall],
  [1.4, contactedInCall],
  [1.4, stopBehindLocks],
  [2.5, setInCall],
  [1, mergeBesideStop],
];

/** Put one of them on purpose into some of the histories. */
export function sharpen(random: Random, plan: HistoryPlan): HistoryPlan {
  const coincidence = random.weighted(coincidences);
  const [first, ...others] = plan.dispatches;
  if (first === undefined) return plan;
  const hangs: Behaviour = { ...behaviour(random), answer: 'none', takeAfterMs: random.pick([0, null]) };
  return coincidence({ random, plan, first, others, hangs });
}

/** A worker that is slow between its claim and its call, and a stop meanwhile. */
function lateCall({ random, plan, first, others, hangs }: Parts): HistoryPlan {
  return {
    ...plan,
    dispatches: [disturbed(first, { 'dispatch.claimed': { kind: 'pause', ms: random.whole(70, 148) } }), ...others],
    behaviours: beginWith(plan, first.run, hangs),
    actions: [at('claimed', random.whole(0, 20), stopOf(random, plan, first.run)), ...plan.actions],
  };
}

/** A worker that is slow between its call and the outcome, until somebody else calls. */
function lateSettle({ random, plan, first, others, hangs }: Parts): HistoryPlan {
  const refuses = { ...behaviour(random), answer: random.pick([429, 'reset']), takeAfterMs: null };
  const again: DispatchPlan = { run: first.run, when: { after: 'called', delayMs: 50 }, lives: [] };
  const slow = disturbed(first, { 'dispatch.called': { kind: 'pause_into_next_call', ms: random.whole(0, 80) } });
  return {
    ...plan,
    providers: bothOf(random.pick(['keys', 'find'])),
    dispatches: [slow, ...others, again],
    behaviours: beginWith(plan, first.run, refuses, { ...hangs, takeAfterMs: random.whole(0, 200) }),
    actions: random.chance(0.5) ? [at('called_again', random.whole(0, 150), stopOf(random, plan, first.run))] : [],
  };
}

/** A provider that accepts when its caller has long gone. */
function lateAcceptance({ random, plan, first, hangs }: Parts): HistoryPlan {
  const late = { ...hangs, takeAfterMs: random.whole(times.deadlineMs + 20, latestAcceptanceMs), dropsAbandoned: false };
  return {
    ...plan,
    providers: bothOf(random.pick(['keys', 'find'])),
    behaviours: beginWith(plan, first.run, late),
    actions: plan.actions.slice(0, 1),
  };
}

/** A merge that brings a stop along in the middle of a call. */
function mergeInCall({ random, plan, first, hangs }: Parts): HistoryPlan {
  const scene = twoWhoBecomeOne(random, plan);
  return {
    ...plan,
    ...scene,
    dispatches: [{ ...first, run: 0, when: { after: 'start', delayMs: 60 } }],
    behaviours: [[hangs]],
    actions: [
      at('start', 0, stopOf(random, scene, 1)),
      { ...at('called', random.whole(0, 100), mergeOf(random, scene)), lives: lives(random, stopPoints, 0.3, 2) },
    ],
  };
}

/** The same, and both come in the same moment: nobody can say which of them is the first. */
function mergeBesideStop({ random, plan, first, hangs }: Parts): HistoryPlan {
  const scene = twoWhoBecomeOne(random, plan);
  const both: Doing[] = [stopOf(random, scene, 1), mergeOf(random, scene)];
  const [doing, other] = random.chance(0.5) ? both : both.toReversed();
  if (doing === undefined || other === undefined) return plan;
  return {
    ...plan,
    ...scene,
    dispatches: [{ ...first, run: 0, when: { after: 'start', delayMs: 60 } }],
    behaviours: [[hangs]],
    actions: [{ ...at('called', random.whole(0, 100), doing), together: [other], lives: lives(random, stopPoints, 0.3, 2) }],
  };
}

/** A channel that refuses for good. Now and then the second refuses as well, and would take the same message a moment later. */
function refusedForGood({ random, plan, first }: Parts): HistoryPlan {
  const refuses = { ...behaviour(random), answer: 422, takeAfterMs: null } as const;
  return {
    ...plan,
    texts: true,
    emailClosed: false,
    behaviours: beginWith(plan, first.run, ...(random.chance(0.5) ? [refuses, refuses] : [refuses])),
    actions: random.chance(0.5) ? [] : plan.actions.slice(0, 1),
  };
}

/** A channel that is closed while the other one is not. */
function oneChannelCloses({ random, plan, hangs }: Parts): HistoryPlan {
  const move = random.pick(['opt_out', 'text_opt_out'] as const);
  const after = random.pick(['start', 'claimed', 'called'] as const);
  const busy = { ...behaviour(random), answer: 429, takeAfterMs: null } as const;
  return {
    ...plan,
    shape: 'one',
    subjects: [plan.subjects[0]],
    texts: true,
    emailClosed: false,
    optOutAll: false,
    behaviours: [random.pick<[Behaviour[], Behaviour[], Behaviour[]]>([[], [hangs], [busy]])],
    dispatches: plan.dispatches.filter((d) => d.run === 0).map((d) => ({ ...d, when: { after: 'start', delayMs: random.whole(0, 300) } })),
    actions: [at(after, random.whole(0, 60), { move, run: 0 })],
  };
}

/** A worker that dies and is never replaced. */
function leftAlone({ random, plan, first }: Parts): HistoryPlan {
  const dies = random.pick(['dispatch.claimed', 'dispatch.called'] as const);
  const life: ProcessPlan = { faults: { [dies]: { kind: 'crash', afterMs: 0 } }, waitMs: 20 };
  return {
    ...plan,
    dispatches: [{ run: first.run, when: { after: 'start', delayMs: 0 }, lives: [life], comesBack: false }],
    actions: random.chance(0.5) ? [] : plan.actions.slice(0, 1),
  };
}

/** A stop in the middle of a call that hangs. */
function stopInCall({ random, plan, first, others, hangs }: Parts): HistoryPlan {
  return {
    ...plan,
    dispatches: [atOnce(first), ...others],
    behaviours: beginWith(plan, first.run, hangs),
    actions: [at('called', random.whole(0, 150), stopOf(random, plan, first.run)), ...plan.actions],
  };
}

/** A colleague speaks with a lead while a message about it hangs. Where two share the number, the call back is about both. */
function contactedInCall({ random, plan, first, hangs }: Parts): HistoryPlan {
  const shared = random.chance(0.5);
  const move = shared ? 'contacted_by_number' : random.pick(['contacted_by_id', 'contacted_by_address'] as const);
  return {
    ...plan,
    shape: shared ? 'shared_number' : 'one',
    subjects: shared ? ['lead', 'lead'] : ['lead'],
    texts: shared || plan.texts,
    dispatches: [{ ...atOnce(first), run: 0 }],
    behaviours: [[hangs], []],
    actions: [at('called', random.whole(0, 150), { move, run: 0 })],
  };
}

/** Workers hold the person's lock one after the other for longer than a delivery waits for it: a stop is not answered by being stored. */
function stopBehindLocks({ random, plan, first, hangs }: Parts): HistoryPlan {
  const subjects: Scene['subjects'] = [random.chance(0.7) ? 'lead' : 'cart'];
  const contacted = subjects[0] === 'lead' && random.chance(0.5);
  const doing: Doing = contacted ? { move: 'contacted_by_id', run: 0 } : stopOf(random, { ...plan, shape: 'one', subjects }, 0);
  const worker = (delayMs: number): DispatchPlan => ({
    run: 0,
    when: { after: 'start', delayMs },
    lives: [{ faults: { 'dispatch.locked': { kind: 'pause', ms: random.whole(190, 235) } }, waitMs: 20 }],
  });
  return {
    ...plan,
    shape: 'one',
    subjects,
    dispatches: [worker(0), worker(10), worker(15), worker(20), first].map((d) => ({ ...d, run: 0 })),
    behaviours: [[hangs]],
    actions: [at('locked', random.whole(0, 30), doing)],
  };
}

/** Stops of two people in one transaction while calls of both hang, with a crash or a lost COMMIT in its middle, or an event that spoils the set. */
function setInCall({ random, plan, first, hangs }: Parts): HistoryPlan {
  const shape = plan.texts ? random.pick(['two_persons', 'number_alone'] as const) : 'two_persons';
  const scene: Scene = { shape, texts: plan.texts, subjects: [plan.subjects[0], random.pick(['cart', 'lead'])] };
  const companions: Companion[] = [stopOf(random, scene, 1), 'stranger', ...(random.chance(0.4) ? (['unstorable'] as const) : [])];
  return {
    ...plan,
    ...scene,
    dispatches: ([0, 1] as const).map((run) => ({ ...atOnce(first), run })),
    behaviours: [[hangs], [hangs]],
    actions: [
      {
        ...at('called', random.whole(0, 40), stopOf(random, scene, 0)),
        together: companions,
        lives: lives(random, stopPoints, 0.6, 2),
        repeatsMs: random.chance(0.3) ? [random.whole(0, 100)] : [],
      },
    ],
  };
}

// ── the parts

const disturbed = (first: DispatchPlan, faults: ProcessPlan['faults']): DispatchPlan => ({
  ...first,
  lives: [{ faults, waitMs: 20 }, ...first.lives],
});

const atOnce = (first: DispatchPlan): DispatchPlan => ({ ...first, when: { after: 'start', delayMs: 0 }, lives: [] });

const at = (after: When['after'], delayMs: number, doing: Doing): ActionPlan => ({
  doing,
  together: [],
  when: { after, delayMs },
  lives: [],
  repeatsMs: [],
});

const beginWith = (plan: HistoryPlan, run: number, ...begin: Behaviour[]): Behaviour[][] =>
  plan.behaviours.map((list, at) => (at === run ? [...begin, ...list] : list));

const bothOf = (kind: Providers['email']): Providers => ({ email: kind, sms: kind });

function stopOf(random: Random, scene: Scene, run: number): Doing {
  return { move: random.pick(stopsOf(scene, run)), run };
}

/** Stops that end the run, whatever it is about; its person where there is no such run. */
function stopsOf(scene: Scene, run: number): readonly [MoveName, ...MoveName[]] {
  if (isNumberAlone(scene, run)) return ['purchase_by_address', 'reply', 'text_opt_out'];
  const about = scene.subjects[run];
  if (about === 'cart') return ['purchase_by_token', 'purchase_by_address', 'reply', 'opt_out'];
  return about === 'lead' ? ['contacted_by_id', 'purchase_by_address', 'reply', 'opt_out'] : ['purchase_by_address', 'reply', 'opt_out'];
}

/** Two persons, of whom only the first has a run. */
function twoWhoBecomeOne(random: Random, { texts, subjects: [about] }: Scene): Scene {
  const byNumber = random.chance(0.4);
  return { shape: byNumber ? 'number_alone' : 'two_persons', texts: texts || byNumber, subjects: [about] };
}

export function mergeOf(random: Random, { shape }: Pick<Scene, 'shape'>): Doing {
  // A number beside an address is what forms are filled in with.
  return { move: random.chance(shape === 'number_alone' ? 0.8 : 0.4) ? 'merge_by_lead' : 'merge_by_contact', run: 0 };
}
