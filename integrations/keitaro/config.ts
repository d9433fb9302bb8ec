import { z } from 'zod';
import { type ConversionOutcome, conversionOutcomes, plainStatus } from '../../domain/conversions/outcome.ts';

/** A Keitaro connection as it is entered. Everything has a default: the secret of its address is the address itself. */
export const keitaroConfig = z.strictObject({
  /** Of amounts whose postback names none; absent: the store's. ISO 4217. */
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'is no currency: write it as EUR')
    .optional(),
  /** What statuses of your networks mean: `{ "confirmed": "sale", "hold": "lead" }`. */
  statuses: z.record(z.string().trim().min(1).max(100), z.enum(conversionOutcomes)).default({}),
  /** Every postback has to name the connection's secret as `token`, beside the secret address. */
  requireToken: z.boolean().default(false),
});

export type KeitaroConfig = z.output<typeof keitaroConfig>;

export const statusesOf = ({ statuses }: KeitaroConfig): ReadonlyMap<string, ConversionOutcome> =>
  new Map(Object.entries(statuses).map(([status, outcome]) => [plainStatus(status), outcome]));
