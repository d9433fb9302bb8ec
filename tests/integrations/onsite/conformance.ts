import { createOnsiteSender } from '../../../integrations/onsite/send.ts';
import { type OnsitePayload, type PopupStore, PopupStoreError } from '../../../integrations/port.ts';
import type { ProviderConformance } from '../provider-conformance.ts';
import { type FarEndBehaviour, lateMs } from '../sender-conformance.ts';

/*
 * The far end is a database behind the port. This one misbehaves on demand at every point of its transaction; what the real one does with keys,
 * deadlines and lost connections is tested in tests/operations/popup-store.test.ts.
 */

const behaviours = [
  'takes',
  'takes_and_answers_slowly',
  'is_away',
  'refuses',
  'throttles',
  'closes_before_taking',
  'resets_before_taking',
  'hangs_before_taking',
  'refuses_after_the_end',
  'hangs_after_the_end',
  'closes_after_the_end',
  'takes_then_hangs',
  'takes_then_closes',
  'takes_then_resets',
  'takes_late',
] as const satisfies FarEndBehaviour[];

const never = () => new Promise<never>(() => undefined);
const after = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
const canonical = (popup: OnsitePayload) => JSON.stringify(Object.entries(popup).toSorted(([a], [b]) => (a < b ? -1 : 1)));

function startDatabase() {
  const stored = new Map<string, string>();
  const taken: number[] = [];
  let calls = 0;
  let behaviour: FarEndBehaviour = 'takes';
  let atTheEnd: () => void = () => undefined;

  const store = (key: string, popup: OnsitePayload): 'stored' | 'another' => {
    const known = stored.get(key);
    if (known === undefined) taken.push(Date.now());
    stored.set(key, known ?? canonical(popup));
    return known === undefined || known === canonical(popup) ? 'stored' : 'another';
  };
  const popups: PopupStore = {
    async putDown(key, popup, mayCommit) {
      const meets = behaviour;
      if (meets === 'is_away') throw new PopupStoreError('away', 'connection refused');
      calls += 1;
      await after(0);
      atTheEnd();
      if (meets === 'refuses') throw new PopupStoreError('refused', 'no such enrollment');
      if (meets === 'throttles') throw new PopupStoreError('refused', 'too many connections');
      if (meets === 'closes_before_taking' || meets === 'resets_before_taking') throw new PopupStoreError('away', 'connection lost');
      if (meets === 'hangs_before_taking') return never();
      if (!mayCommit()) return 'too_late';
      if (meets === 'refuses_after_the_end') throw new PopupStoreError('refused', 'the disk is full');
      if (meets === 'hangs_after_the_end') return never();
      if (meets === 'closes_after_the_end') throw new PopupStoreError('unclear', 'connection lost');
      if (meets === 'takes_late') {
        await after(lateMs);
        return store(key, popup);
      }
      const result = store(key, popup);
      if (meets === 'takes_and_answers_slowly') await after(20);
      if (meets === 'takes_then_hangs') return never();
      if (meets === 'takes_then_closes' || meets === 'takes_then_resets') throw new PopupStoreError('unclear', 'connection lost');
      return result;
    },
  };
  return {
    sender: createOnsiteSender(popups),
    behaviours,
    behave(next: FarEndBehaviour, reached?: () => void) {
      behaviour = next;
      atTheEnd = reached ?? (() => undefined);
    },
    takenAtMs: () => taken,
    calls: () => calls,
    resume: () => undefined,
    close: async () => undefined,
  };
}

const popup: OnsitePayload = {
  channel: 'onsite',
  language: 'en',
  direction: 'ltr',
  heading: 'Still thinking it over?',
  text: 'Your cart is where you left it.',
  cta: 'Back to my cart',
  url: 'https://mail.example.com/c/token',
  close: 'Keep looking',
  label: null,
};

export const conformance: ProviderConformance = {
  senders: [
    {
      name: 'onsite',
      payload: (size) => ({
        ...popup,
        ...(size === 'another' ? { heading: 'Another one' } : {}),
        ...(size === 'huge' ? { text: 'tea '.repeat(100_000) } : {}),
      }),
      start: async () => startDatabase(),
    },
  ],
};
