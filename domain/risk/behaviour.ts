import { z } from 'zod';
import { line } from '../facts/kind.ts';
import { minorDigits } from '../money.ts';
import type { EpochMs } from '../sequence/plan.ts';

/** Something that an account did, or that happened to it. It is dated, and never changed. */
export type Behaviour = { atMs: EpochMs } & (
  | { kind: 'visit'; pages: number | null }
  /** `amount`: a decimal in major units, as it was stated; null: unknown. */
  | { kind: 'order'; amount: string | null; currency: string | null }
  /** They wrote to the store. */
  | { kind: 'message'; channel: string | null }
  /** They opened what the store wrote. */
  | { kind: 'open'; channel: string | null }
  /** `answered`: somebody spoke; null: the source does not say. */
  | { kind: 'call'; answered: boolean | null; seconds: number | null }
  /** They needed help. */
  | { kind: 'support'; severity: 'low' | 'normal' | 'high' }
  /** An event that only this store knows, by its own code. */
  | { kind: 'own'; code: string }
);

export const behaviourKinds = ['visit', 'order', 'message', 'open', 'call', 'support', 'own'] as const satisfies readonly Behaviour['kind'][];

/** Behaviour as it is reported. */
export interface ReportedBehaviour {
  /** The source's own id, by which a repeat is known; null: the same behaviour at the same time is the same. */
  id: string | null;
  /** null: when the event says that it happened. */
  atMs: EpochMs | null;
  /** Without its time. */
  what: BehaviourData;
}

/** Behaviour without its time, as it is stored. */
export type BehaviourData = Behaviour extends infer One ? (One extends Behaviour ? Omit<One, 'atMs'> : never) : never;

const decimal = /^\d{1,12}(\.\d{1,6})?$/;
const count = (most: number) => z.int(`is no whole number`).min(0, 'is negative').max(most, `is more than ${most}`);
const channel = z
  .string()
  .regex(/^[a-z]{2,20}$/u, 'is no channel, such as email')
  .nullable()
  .default(null);

const shapes = {
  visit: z.strictObject({ kind: z.literal('visit'), pages: count(10_000).nullable().default(null) }),
  order: z.strictObject({
    kind: z.literal('order'),
    amount: z
      .union([z.string(), z.number()], 'is no amount such as "89.00"')
      .transform((written, context) => {
        if (decimal.test(String(written))) return String(written);
        context.addIssue('is no amount such as "89.00"');
        return z.NEVER;
      })
      .nullable()
      .default(null)
      .meta({ description: 'In major units.', examples: ['184.00'] }),
    currency: z
      .string('is no currency code like EUR')
      .refine((code) => minorDigits(code) !== null, 'is no currency code like EUR')
      .nullable()
      .default(null)
      .meta({ description: 'ISO 4217.' }),
  }),
  message: z.strictObject({ kind: z.literal('message'), channel }),
  open: z.strictObject({ kind: z.literal('open'), channel }),
  call: z.strictObject({ kind: z.literal('call'), answered: z.boolean().nullable().default(null), seconds: count(86_400).nullable().default(null) }),
  support: z.strictObject({
    kind: z.literal('support'),
    severity: z
      .enum(['low', 'normal', 'high'])
      .nullish()
      .transform((severity) => severity ?? 'normal'),
  }),
  own: z.strictObject({
    kind: z.literal('own'),
    code: z
      .string()
      .regex(/^[a-z][a-z0-9_.-]{0,39}$/u, 'is no code: write up to 40 of a–z 0–9 _ . - with a letter first')
      .meta({ description: 'The store’s own name for it, such as `report_exported`.' }),
  }),
};

/** What was stored, of this or an earlier version. */
const behaviourData: z.ZodType<BehaviourData> = z.discriminatedUnion('kind', [
  shapes.visit,
  shapes.order,
  shapes.message,
  shapes.open,
  shapes.call,
  shapes.support,
  shapes.own,
]);

/** A stored row as behaviour. @throws ZodError when this build cannot read it */
export function readStoredBehaviour({ kind, data, occurredAt }: { kind: string; data: unknown; occurredAt: EpochMs }): Behaviour {
  return { ...behaviourData.parse({ kind, ...Object(data) }), atMs: occurredAt };
}

const common = {
  id: line(200).nullish().meta({ description: 'The source’s own id. A repeat with the same id is the same behaviour.' }),
  at: z.iso
    .datetime({ offset: true, error: 'is no time like 2026-11-20T09:00:00Z' })
    .nullish()
    .meta({ description: 'When it happened; left out, when the report was made.' }),
};

/** Behaviour as the API and webhooks report it. */
export const behaviourReport = z
  .discriminatedUnion(
    'kind',
    [
      shapes.visit.extend(common),
      shapes.order.extend(common),
      shapes.message.extend(common),
      shapes.open.extend(common),
      shapes.call.extend(common),
      shapes.support.extend(common),
      shapes.own.extend(common),
    ],
    { error: `names no kind of behaviour: write one of ${behaviourKinds.join(', ')}` },
  )
  .transform(({ id, at, ...what }): ReportedBehaviour => ({ id: id ?? null, atMs: at == null ? null : Date.parse(at), what }));

/**
 * The key that identifies a repeated event. Two equal events without an id differ only by their times.
 * @param atMs - when it happened
 */
export function behaviourKey({ id, what }: ReportedBehaviour, atMs: EpochMs): string {
  if (id !== null) return `id:${id}`;
  const parts = Object.entries(what)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);
  return `at:${atMs}:${parts.join(',')}`;
}
