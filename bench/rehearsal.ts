import { readFile } from 'node:fs/promises';
import { rehearse } from '../domain/rehearsal/rehearse.ts';
import { parseSequence } from '../domain/sequence/parse-sequence.ts';
import type { ChannelFacts } from '../domain/gates/facts.ts';
import { zonesOfPerson } from '../domain/people/time-zone.ts';
import type { Setting } from '../domain/rehearsal/world.ts';
import { tenantSettings } from '../domain/tenant-settings.ts';
import { budgeted, besideFloor, type Measured, median, quantile } from './measure.ts';

const slices = 40;
const perSlice = 1_000;
const warmUps = 20;

/**
 * Thirty-day enrollments of the cart preset per second of processor time, beside a fixed computation in the same process. On a busy machine a second
 * of wall time holds any share of a processor: 17,000 to 86,000 enrollments on one and the same machine. Both do the same amount of work again and
 * again, in slices of some tens of milliseconds by turns: what slows the processor for a while slows both, so the ratio says what the rules cost.
 */
export async function measureRehearsal(rounds: number): Promise<Measured> {
  const parsed = parseSequence(await readFile(new URL('../sequences/cart.yaml', import.meta.url), 'utf8'));
  if (!parsed.ok) throw new Error('the preset does not parse');
  const { definition } = parsed;
  let done = 0;
  const nextMs = () => 1_790_000_000_000 + done++ * 61_000;
  const rehearsals = () => {
    for (let i = 0; i < perSlice; i++) rehearse(definition, [{ type: 'subject.updated', atMs: nextMs() }]);
  };
  // The third email as a text: emails have no legal hours.
  const withText = {
    ...definition,
    steps: definition.steps.map((step) => (step.id === 'email_48h' ? { ...step, channels: ['sms' as const] } : step)),
  };
  const guarded = () => {
    for (let i = 0; i < perSlice; i++) rehearse(withText, [{ type: 'subject.updated', atMs: nextMs() }], allGates);
  };
  const computations = () => {
    for (let i = 0; i < perSlice; i++) compute(done + i);
  };
  // Until V8 has compiled both with what it has seen of them; a garbage collection of the start falls into these slices too.
  for (let slice = 0; slice < warmUps; slice++) {
    rehearsals();
    guarded();
    computations();
  }
  const [rates, floors, ratios]: [number[], number[], number[]] = [[], [], []];
  const guardedRates: number[] = [];
  for (let slice = 0; slice < slices * rounds; slice++) {
    const [floor, rate] = [perSecond(computations), perSecond(rehearsals)];
    guardedRates.push(perSecond(guarded));
    rates.push(rate);
    floors.push(floor);
    ratios.push(rate / floor);
  }
  return {
    figures: [
      budgeted('rehearsal', median(rates), 'enrollments/s', '>= 20000/s on one core', (rate) => rate >= 20_000),
      budgeted('rehearsal_all_gates', median(guardedRates), 'enrollments/s', '>= 20000/s on one core', (rate) => rate >= 20_000),
      {
        ...besideFloor('rehearsal_ratio', median(rates), 'enrollments/s', median(floors), `>= ${leastRatio} of a fixed computation`, () => true),
        ratio: median(ratios),
        met: median(ratios) >= leastRatio,
      },
    ],
    notes: [
      `rehearsal: medians of ${rates.length} slices of ${perSlice} enrollments, without what a store may switch off and with all of it, each beside a slice of the fixed computation; nine of ten slices ran at ` +
        `${quantile(rates, 0.1).toFixed(0)}/s or more, one of ten at ${quantile(rates, 0.9).toFixed(0)}/s or more: far apart, others used the caches and the other half of the core`,
    ],
  };
}

const leastRatio = 0.3;

const usable: ChannelFacts = { connected: true, hasAddress: true, suppressed: false, consent: 'granted', requiresConsent: true, refused: false };

/** Somebody in Kentucky, which has two time zones: quiet hours, legal hours with holidays, the law of consent, blackout dates and the caps of every store. */
const place = { country: 'US', region: 'KY' };
const allGates: Partial<Setting> = {
  timeZones: zonesOfPerson({ timeZone: null, ...place, phoneCountry: null }, 'UTC').timeZones,
  place,
  channels: { email: usable, sms: usable },
  settings: {
    ...tenantSettings.parse({}),
    consentLaw: 'strict',
    requireConsent: ['email', 'sms'],
    blackoutDates: [{ from: '2026-12-24', to: '2026-12-26' }],
  },
};

/** Per second of processor time of this process, its garbage collector included. */
function perSecond(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (perSlice * 1_000_000) / Math.max(1, user + system);
}

let kept = 0;
/** Small objects, a sort, a map, strings as keys: what a rehearsal is made of, and nothing of the product. Never change it: ratios are compared with it. */
function compute(seed: number): void {
  const rows: { key: string; at: number; state: string | null }[] = [];
  let at = seed;
  for (let i = 0; i < 24; i++) {
    at = (at * 1_103_515_245 + 12_345) % 2_147_483_648;
    rows.push({ key: `step_${i % 8}`, at, state: at % 3 === 0 ? null : 'sent' });
  }
  const latest = new Map<string, number>();
  for (const row of rows.toSorted((a, b) => a.at - b.at)) if (row.state !== null) latest.set(row.key, Math.max(latest.get(row.key) ?? 0, row.at));
  const progress = { ...Object.fromEntries(latest), seed };
  kept = (kept + Object.keys(progress).length + (latest.get('step_1') ?? 0)) % 1_000_003;
}
