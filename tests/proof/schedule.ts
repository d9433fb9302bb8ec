import { mergeOf, sharpen } from './coincidences.ts';
import type { ProviderKind } from './far-end.ts';
import { behaviour, dispatchPoints, lives, stopPoints } from './faults.ts';
import { type MoveName, moves } from './moves/index.ts';
import { isNumberAlone } from './people.ts';
import type { ActionPlan, Companion, DispatchPlan, Doing, HistoryPlan, Scene } from './plan.ts';
import { type Random, seededRandom, seedOfHistory } from '../chaos/random.ts';
import type { SubjectName } from './subjects/index.ts';

/** The whole schedule of one history: what happens to whom and when, as far as a seed can decide it. */
export function planOf(seed: number, index: number): HistoryPlan {
  const own = seedOfHistory(seed, index);
  const random = seededRandom(own);
  return sharpen(random, wildHistory(random, own));
}

function wildHistory(random: Random, seed: number): HistoryPlan {
  const scene = sceneOf(random);
  const emailClosed = scene.texts && random.chance(0.4);
  const perRun = <T>(make: (run: number) => T) => scene.subjects.map((_, run) => make(run));
  return {
    seed,
    ...scene,
    providers: { email: providerKind(random), sms: providerKind(random) },
    optOutAll: !emailClosed && random.chance(0.65),
    emailClosed,
    behaviours: perRun(() => Array.from({ length: random.whole(1, 4) }, () => behaviour(random))),
    dispatches: perRun((run) => Array.from({ length: random.whole(1, 3) }, () => dispatch(random, run))).flat(),
    actions: actions(random, scene),
    newcomer: lives(random, dispatchPoints, 0.5, 2),
    clicksAfterMs: random.chance(0.25) ? random.whole(0, 80) : null,
    timePassesMs: random.chance(0.6) ? Array.from({ length: random.whole(1, 4) }, () => random.whole(150, 1_700)) : [],
  };
}

function sceneOf(random: Random): Scene {
  const shape = random.weighted([
    [4, 'one'],
    [2, 'two_of_one'],
    [2, 'two_persons'],
    [2, 'number_alone'],
    [1.5, 'changes_hands'],
    [2, 'shared_number'],
  ]);
  const about = (): SubjectName =>
    random.weighted([
      [3, 'cart'],
      [2, 'lead'],
    ]);
  const first = about();
  const second = shape === 'two_of_one' || shape === 'shared_number' || (shape !== 'one' && random.chance(0.5));
  return {
    shape,
    texts: shape === 'shared_number' || shape === 'number_alone' || random.chance(0.6),
    // The same product in two carts is what an order with a shared number goes by: there, both are of one kind.
    subjects: second ? [first, shape === 'shared_number' ? first : about()] : [first],
  };
}

function providerKind(random: Random): ProviderKind {
  return random.weighted([
    [3, 'none'],
    [4, 'keys'],
    [4, 'find'],
  ]);
}

function dispatch(random: Random, run: number): DispatchPlan {
  const startsWith = random.weighted([
    [4, 'start'],
    [1, 'claimed'],
    [1, 'called'],
  ]);
  return { run, when: { after: startsWith, delayMs: random.whole(0, 80) }, lives: lives(random, dispatchPoints, 0.65, 4) };
}

function actions(random: Random, scene: Scene): ActionPlan[] {
  const many = random.weighted([
    [1, 0],
    [5, 1],
    [3, 2],
    [1, 3],
  ]);
  const doings: Doing[] = Array.from({ length: many }, () => anyMove(random, scene, random.whole(0, scene.subjects.length - 1)));
  if (scene.shape === 'two_persons' || scene.shape === 'number_alone') {
    doings.push(mergeOf(random, scene));
    // A stop of the second person, who may have no run: the merge carries it over.
    const optOut = isNumberAlone(scene, 1) ? 'text_opt_out' : 'opt_out';
    if (random.chance(0.7)) doings.push({ move: random.pick(['purchase_by_address', 'reply', optOut]), run: 1 });
  }
  if (scene.shape === 'changes_hands') doings.push({ move: 'change_of_hands', run: 0 });
  return doings.map((doing) => ({
    doing,
    together: random.chance(0.25) ? companions(random) : [],
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

function anyMove(random: Random, scene: Scene, run: number): Doing {
  const names = Object.keys(moves) as [MoveName, ...MoveName[]];
  const [first, ...others] = names;
  const weigh = (name: MoveName) => [moves[name].weight(scene, run), name] as const;
  return { move: random.weighted([weigh(first), ...others.map(weigh)]), run };
}

/** Strangers in the same transaction, and now and then an event that spoils it. */
function companions(random: Random): Companion[] {
  const strangers = Array.from({ length: random.whole(1, 2) }, (): Companion => 'stranger');
  return random.chance(0.3) ? [...strangers, 'unstorable'] : strangers;
}
