import { type Behaviour, latestAcceptanceMs, times } from './far-end.ts';
import type { LostCommit } from './commit-proxy.ts';
import { type Random, seededRandom, seedOfHistory } from './random.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import type { Providers } from './world.ts';

/** Where something may happen to a process: the product's checkpoints, and two places that the harness adds around them. */
export type Point = Checkpoint | 'settle.before_commit' | 'in_call';

export type Fault =
  | { kind: 'pause'; ms: number }
  /** Wakes up in the middle of somebody else's next call of the same step; some seconds at most. */
  | { kind: 'pause_into_next_call'; ms: number }
  /** As SIGKILL: its connections and calls are gone, nothing of it runs on. */
  | { kind: 'crash'; afterMs: number }
  /** Its database connection breaks; the process lives on. */
  | { kind: 'cut' }
  | { kind: 'lost_commit'; fate: LostCommit };

/** One life of a process: each fault strikes once, at its point. */
export interface ProcessPlan {
  faults: Partial<Record<Point, Fault>>;
  /** Before the next life, or the next attempt, begins. */
  waitMs: number;
}

/** Something that has to happen first; the delay counts from there. `start`: the history's begin. */
export interface When {
  after: 'start' | 'locked' | 'claimed' | 'called' | 'called_again' | 'accepted';
  delayMs: number;
}

export type StopKind =
  | 'purchase_by_token'
  | 'purchase_by_address'
  /** Names the cart and the number that its owner shares with somebody who has the same product in their cart. */
  | 'purchase_with_number'
  | 'reply'
  | 'opt_out'
  /** Names a number alone. Where two share it, it closes the number for texts, and nobody's email; else it is its holder's opt-out from texts. */
  | 'text_opt_out'
  | 'unsubscribe'
  | 'by_hand';

export type Doing = { kind: 'stop'; stop: StopKind; cart: number } | { kind: 'merge' } | { kind: 'move' };

export interface ActionPlan {
  doing: Doing;
  when: When;
  /** One life per attempt; after the last planned one, undisturbed ones follow. */
  lives: ProcessPlan[];
  /** The same delivery again, so long after the first was sent. */
  repeatsMs: number[];
}

export interface HistoryPlan {
  seed: number;
  providers: Providers;
  /** Everybody has a telephone number: the step may go out as a text message where no email is possible. */
  texts: boolean;
  /** Nobody may be emailed from the beginning: the step goes out as a text message or not at all. */
  emailClosed: boolean;
  /** The tenant's rule: an opt-out on one channel closes all of them. */
  optOutAll: boolean;
  /** Who and what there is: one cart; two carts of one person; two persons who may become one; a cart that moves to another address;
   * two persons who share a telephone number. */
  shape: 'one' | 'two_carts' | 'two_persons' | 'move' | 'shared_number';
  /** Whether the second person has a cart too. */
  secondCart: boolean;
  /** By cart, in the order of its calls; further calls are accepted. */
  behaviours: Behaviour[][];
  /** `comesBack: false`: after the planned lives nobody dispatches the step again. */
  dispatches: { cart: number; when: When; lives: ProcessPlan[]; comesBack?: boolean }[];
  actions: ActionPlan[];
  /** A click on the link of the message, so long after each acceptance. */
  clicksAfterMs: number | null;
  /** When rows in doubt or put off are made ten seconds older, nothing of theirs being under way. */
  timePassesMs: number[];
}

const dispatchPoints = [
  'dispatch.session_open',
  'dispatch.locked',
  'dispatch.before_commit',
  'dispatch.claimed',
  'dispatch.called',
  'dispatch.settled',
  'settle.before_commit',
  'in_call',
] as const;
const stopPoints = ['stop.locked', 'stop.before_commit', 'stop.committed'] as const;

/** The whole schedule of one history: what happens to whom and when, as far as a seed can decide it. */
function planHistory(seed: number): HistoryPlan {
  const random = seededRandom(seed);
  return sharpen(random, wildHistory(random, seed));
}

/**
 * Rare coincidences that chance alone would seldom bring about are put together on purpose in some of the histories: a worker that is
 * slow between its claim and its call, one that is slow between its call and the outcome, a provider that is slow to accept, a merge that
 * brings a stop along in the middle of a call, a stop in the middle of a call that hangs, a channel that refuses for good, a channel that is
 * closed while the other one is not, and a worker that dies and is never replaced.
 */
function sharpen(random: Random, plan: HistoryPlan): HistoryPlan {
  const edge = random.weighted([
    [4.5, 'none'],
    [1.6, 'late_call'],
    [1, 'late_settle'],
    [1, 'late_acceptance'],
    [1, 'merge_in_call'],
    [1.3, 'refused_for_good'],
    [1.3, 'one_channel_closes'],
    [0.8, 'left_alone'],
    [1.4, 'stop_in_call'],
  ]);
  const [first, ...others] = plan.dispatches;
  if (edge === 'none' || first === undefined) return plan;
  const firstLife = (faults: ProcessPlan['faults']) => [{ ...first, lives: [{ faults, waitMs: 20 }, ...first.lives] }, ...others];
  const hangs = { ...behaviour(random), answer: 'none', takeAfterMs: random.pick([0, null]) } as const;
  const stopAt = (after: When['after'], delayMs: number): ActionPlan => ({
    doing: { kind: 'stop', stop: random.pick(['purchase_by_token', 'reply', 'opt_out']), cart: first.cart },
    when: { after, delayMs },
    lives: [],
    repeatsMs: [],
  });
  const behaviours = (...begin: Behaviour[]) => plan.behaviours.map((list, cart) => (cart === first.cart ? [...begin, ...list] : list));
  switch (edge) {
    case 'late_call':
      return {
        ...plan,
        dispatches: firstLife({ 'dispatch.claimed': { kind: 'pause', ms: random.whole(70, 148) } }),
        behaviours: behaviours(hangs),
        actions: [stopAt('claimed', random.whole(0, 20)), ...plan.actions],
      };
    case 'late_settle': {
      const refuses = { ...behaviour(random), answer: random.pick([429, 'reset']), takeAfterMs: null };
      const again: HistoryPlan['dispatches'][number] = { cart: first.cart, when: { after: 'called', delayMs: 50 }, lives: [] };
      return {
        ...plan,
        providers: bothOf(random.pick(['keys', 'find'])),
        dispatches: [...firstLife({ 'dispatch.called': { kind: 'pause_into_next_call', ms: random.whole(0, 80) } }), again],
        behaviours: behaviours(refuses, { ...hangs, takeAfterMs: random.whole(0, 200) }),
        actions: random.chance(0.5) ? [stopAt('called_again', random.whole(0, 150))] : [],
      };
    }
    case 'merge_in_call': {
      const ofTheOther = { kind: 'stop', stop: random.pick(['purchase_by_address', 'reply', 'opt_out']), cart: 1 } as const;
      return {
        ...plan,
        shape: 'two_persons',
        secondCart: false,
        dispatches: [{ ...first, cart: 0, when: { after: 'start', delayMs: 60 } }],
        behaviours: [[hangs]],
        actions: [
          { ...stopAt('start', 0), doing: ofTheOther },
          { ...stopAt('called', random.whole(0, 100)), doing: { kind: 'merge' }, lives: lives(random, stopPoints, 0.3, 2) },
        ],
      };
    }
    case 'refused_for_good': {
      const refuses = { ...behaviour(random), answer: 422, takeAfterMs: null } as const;
      // Now and then the second channel refuses as well, and would take the same message a moment later.
      const begin = random.chance(0.5) ? [refuses, refuses] : [refuses];
      return {
        ...plan,
        texts: true,
        emailClosed: false,
        behaviours: behaviours(...begin),
        actions: random.chance(0.5) ? [] : plan.actions.slice(0, 1),
      };
    }
    case 'stop_in_call': {
      const stop = random.pick(['purchase_by_token', 'purchase_by_address', 'reply', 'reply', 'opt_out'] as const);
      return {
        ...plan,
        dispatches: [{ ...first, when: { after: 'start', delayMs: 0 }, lives: [] }, ...others],
        behaviours: behaviours(hangs),
        actions: [{ ...stopAt('called', random.whole(0, 150)), doing: { kind: 'stop', stop, cart: first.cart } }, ...plan.actions],
      };
    }
    case 'left_alone': {
      const dies = random.pick(['dispatch.claimed', 'dispatch.called'] as const);
      const life: ProcessPlan = { faults: { [dies]: { kind: 'crash', afterMs: 0 } }, waitMs: 20 };
      return {
        ...plan,
        dispatches: [{ cart: first.cart, when: { after: 'start', delayMs: 0 }, lives: [life], comesBack: false }],
        actions: random.chance(0.5) ? [] : plan.actions.slice(0, 1),
      };
    }
    case 'one_channel_closes': {
      const closes = random.pick(['opt_out', 'text_opt_out']);
      const after = random.pick(['start', 'claimed', 'called'] as const);
      return {
        ...plan,
        shape: 'one',
        secondCart: false,
        texts: true,
        emailClosed: false,
        optOutAll: false,
        behaviours: [random.pick<[Behaviour[], Behaviour[], Behaviour[]]>([[], [hangs], [{ ...behaviour(random), answer: 429, takeAfterMs: null }]])],
        dispatches: plan.dispatches.filter((d) => d.cart === 0).map((d) => ({ ...d, when: { after: 'start', delayMs: random.whole(0, 300) } })),
        actions: [{ ...stopAt(after, random.whole(0, 60)), doing: { kind: 'stop', stop: closes, cart: 0 } }],
      };
    }
    case 'late_acceptance': {
      const late = { ...hangs, takeAfterMs: random.whole(times.deadlineMs + 20, latestAcceptanceMs), dropsAbandoned: false };
      return {
        ...plan,
        providers: bothOf(random.pick(['keys', 'find'])),
        behaviours: behaviours(late),
        actions: plan.actions.slice(0, 1),
      };
    }
  }
}

function wildHistory(random: Random, seed: number): HistoryPlan {
  const shape = random.weighted([
    [4, 'one'],
    [2, 'two_carts'],
    [3, 'two_persons'],
    [1.5, 'move'],
    [2, 'shared_number'],
  ]);
  const secondCart = shape === 'two_carts' || shape === 'shared_number' || ((shape === 'two_persons' || shape === 'move') && random.chance(0.5));
  const carts = secondCart ? 2 : 1;
  const texts = shape === 'shared_number' || random.chance(0.6);
  const emailClosed = texts && random.chance(0.4);
  const perCart = <T>(make: (cart: number) => T) => Array.from({ length: carts }, (_, cart) => make(cart));
  return {
    seed,
    providers: { email: providerKind(random), sms: providerKind(random) },
    texts,
    optOutAll: !emailClosed && random.chance(0.65),
    emailClosed,
    shape,
    secondCart,
    behaviours: perCart(() => Array.from({ length: random.whole(1, 4) }, () => behaviour(random))),
    dispatches: perCart((cart) => Array.from({ length: random.whole(1, 3) }, () => dispatch(random, cart))).flat(),
    actions: actions(random, shape, carts, texts),
    clicksAfterMs: random.chance(0.25) ? random.whole(0, 80) : null,
    timePassesMs: random.chance(0.6) ? Array.from({ length: random.whole(1, 4) }, () => random.whole(150, 1_700)) : [],
  };
}

const bothOf = (kind: Providers['email']): Providers => ({ email: kind, sms: kind });

function providerKind(random: Random): Providers['email'] {
  return random.weighted([
    [3, 'none'],
    [4, 'keys'],
    [4, 'find'],
  ]);
}

export const planOf = (seed: number, index: number): HistoryPlan => planHistory(seedOfHistory(seed, index));

function behaviour(random: Random): Behaviour {
  const takeAfterMs = random.weighted([
    [3, 0],
    [4, random.whole(1, 60)],
    [2, random.whole(60, times.deadlineMs)],
  ]);
  const lateMs = random.whole(0, latestAcceptanceMs);
  const perhaps = random.chance(0.6) ? random.pick([takeAfterMs, lateMs]) : null;
  const base = { dropsAbandoned: random.chance(0.3), answerAfterMs: random.whole(0, 200) };
  switch (
    random.weighted([
      [7, 'accept'],
      [4, 429],
      [0.7, 422],
      [2, 500],
      [2, 'reset'],
      [5, 'none'],
    ])
  ) {
    case 'accept':
      return { ...base, takeAfterMs, answer: 200, answerAfterMs: takeAfterMs + random.whole(2, 120) };
    case 429:
      return { ...base, takeAfterMs: null, answer: 429 };
    case 422:
      return { ...base, takeAfterMs: null, answer: 422 };
    case 500:
      return { ...base, takeAfterMs: perhaps, answer: 500 };
    case 'reset':
      return { ...base, takeAfterMs: perhaps, answer: 'reset' };
    case 'none':
      return { ...base, takeAfterMs: perhaps, answer: 'none' };
  }
}

function dispatch(random: Random, cart: number): HistoryPlan['dispatches'][number] {
  const startsWith = random.weighted([
    [4, 'start'],
    [1, 'claimed'],
    [1, 'called'],
  ]);
  return { cart, when: { after: startsWith, delayMs: random.whole(0, 80) }, lives: lives(random, dispatchPoints, 0.65, 4) };
}

function actions(random: Random, shape: HistoryPlan['shape'], carts: number, texts: boolean): ActionPlan[] {
  const doings: Doing[] = Array.from(
    {
      length: random.weighted([
        [1, 0],
        [5, 1],
        [3, 2],
        [1, 3],
      ]),
    },
    () => ({
      kind: 'stop',
      stop: random.weighted([
        [3, 'purchase_by_token'],
        [2, 'purchase_by_address'],
        [2, 'reply'],
        [3, 'opt_out'],
        [1.5, 'unsubscribe'],
        [0.7, 'by_hand'],
        [shape === 'shared_number' ? 4 : 0, 'purchase_with_number'],
        [shape === 'shared_number' ? 4 : texts ? 2 : 0, 'text_opt_out'],
      ]),
      cart: random.whole(0, carts - 1),
    }),
  );
  if (shape === 'two_persons') {
    doings.push({ kind: 'merge' });
    // A stop of the second person, who may have no cart: the merge carries it over.
    if (random.chance(0.7)) doings.push({ kind: 'stop', stop: random.pick(['purchase_by_address', 'reply', 'opt_out']), cart: 1 });
  }
  if (shape === 'move') doings.push({ kind: 'move' });
  return doings.map((doing) => ({
    doing,
    when: {
      after: random.weighted([
        [2, 'start'],
        [2, 'locked'],
        [3, 'claimed'],
        [4, 'called'],
        [1.5, 'accepted'],
      ]),
      delayMs: random.chance(0.7) ? random.whole(0, 60) : random.whole(0, 400),
    },
    lives: lives(random, stopPoints, 0.3, 2),
    repeatsMs: random.chance(0.4) ? Array.from({ length: random.whole(1, 2) }, () => random.whole(0, 200)) : [],
  }));
}

function lives(random: Random, points: readonly [Point, ...Point[]], disturbed: number, most: number): ProcessPlan[] {
  return Array.from({ length: most }, () => {
    const faults: ProcessPlan['faults'] = {};
    if (random.chance(disturbed)) {
      for (let left = random.whole(1, 2); left > 0; left--) {
        // Between the claim and the outcome lies what the fence is about.
        const point = random.chance(0.3) ? (points[random.whole(3, 4)] ?? random.pick(points)) : random.pick(points);
        faults[point] = faultAt(random, point);
      }
    }
    return { faults, waitMs: random.chance(0.7) ? random.whole(0, 60) : random.whole(60, 400) };
  });
}

function faultAt(random: Random, point: Point): Fault {
  const inTransaction = /locked|before_commit/.test(point);
  const pauseMs = inTransaction
    ? random.whole(0, 240)
    : point === 'dispatch.claimed' && random.chance(0.5)
      ? random.whole(60, 150)
      : longPause(random);
  const pause = { kind: 'pause', ms: pauseMs } as const;
  const crash = { kind: 'crash', afterMs: point === 'in_call' ? random.whole(0, times.deadlineMs) : 0 } as const;
  if (point === 'in_call') return crash;
  if (!inTransaction) {
    const next = { kind: 'pause_into_next_call', ms: random.whole(0, 120) } as const;
    return random.weighted([
      [3, pause],
      [1, crash],
      [point === 'dispatch.called' ? 3 : 0.5, next],
    ]);
  }
  if (!point.endsWith('before_commit'))
    return random.weighted([
      [3, pause],
      [1, crash],
      [0.5, { kind: 'cut' }],
    ]);
  const fate = random.pick([{ kind: 'answer_lost' }, { kind: 'never_sent' }, { kind: 'late', afterMs: random.whole(1, 150) }]);
  return random.weighted([
    [2, pause],
    [1, crash],
    [0.3, { kind: 'cut' }],
    [3, { kind: 'lost_commit', fate }],
  ]);
}

function longPause(random: Random): number {
  return random.weighted([
    [5, random.whole(0, 60)],
    [3, random.whole(60, times.deadlineMs)],
    [1, random.whole(times.deadlineMs, times.deadLeaseMs)],
    // Longer than a dead lease, and than a provider needs to settle.
    [2, random.whole(times.deadLeaseMs, 1_600)],
  ]);
}
