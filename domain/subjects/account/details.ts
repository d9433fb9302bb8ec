import { z } from 'zod';

/** A customer who comes again, as far as it is kept with the account: what they did is kept as dated behaviour. */
export interface AccountDetails {
  /** As the store's own system calls the account; null: it has no name. */
  name: string | null;
  /** The page about it; null: there is none. */
  url: string | null;
}

const maybeText = z.string().nullable().default(null);

export const accountDetails = z.object({ name: maybeText, url: maybeText }) satisfies z.ZodType<AccountDetails>;
