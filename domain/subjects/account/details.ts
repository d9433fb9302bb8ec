import { z } from 'zod';
import { type RiskBand, riskBands } from '../../risk/bands.ts';

/** A customer who comes again, as far as it is kept with the account: what they did is kept as dated behaviour. */
export interface AccountDetails {
  /** As the store's own system calls the account; null: it has no name. */
  name: string | null;
  /** The page about it; null: there is none. */
  url: string | null;
  /** What it is interested in, or where, as facts about the market name it; null: not known. */
  area: string | null;
  /** The band of risk that it is in by its latest assessment. */
  band: RiskBand;
}

const maybeText = z.string().nullable().default(null);

export const accountDetails = z.object({
  name: maybeText,
  url: maybeText,
  area: maybeText,
  band: z.enum(riskBands).default('none'),
}) satisfies z.ZodType<AccountDetails>;
