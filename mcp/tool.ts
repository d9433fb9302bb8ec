import { z } from 'zod';
import type { Client } from '../sdk/index.ts';
import type { Confirmations } from './confirmations.ts';

export interface ToolContext {
  client: Client;
  /** Whether answers may name people: addresses and numbers as they are, and previews for real persons. */
  personalData: boolean;
  confirmations: Confirmations;
  /** Who asks, as far as tokens are concerned: a digest of the key. */
  owner: string;
}

export interface Tool {
  name: string;
  title: string;
  description: string;
  input: z.ZodObject;
  writes: boolean;
  /** Answers with data for the caller. It names its fields one by one: whatever the API adds later is not handed on unseen. */
  run(context: ToolContext, input: unknown): Promise<unknown>;
}

interface ToolText {
  name: string;
  title: string;
  description: string;
}

/** A tool that changes nothing. */
export function reading<S extends z.ZodRawShape>(
  text: ToolText,
  shape: S,
  run: (context: ToolContext, input: z.output<z.ZodObject<S>>) => Promise<unknown>,
): Tool {
  const input = z.strictObject(shape);
  return { ...text, input, writes: false, run: (context, given) => run(context, input.parse(given)) };
}

/**
 * A tool that changes something, in two calls: the first says what would happen and gives a token, the second repeats the arguments with the token.
 * @param foresee - says what would happen, and what it has seen; `act` is given that
 */
export function writing<S extends z.ZodRawShape, Seen>(
  text: ToolText,
  shape: S,
  foresee: (context: ToolContext, input: z.output<z.ZodObject<S>>) => Promise<{ would: unknown; seen: Seen }>,
  act: (context: ToolContext, input: z.output<z.ZodObject<S>>, seen: Seen) => Promise<unknown>,
): Tool {
  const input = z.strictObject(shape);
  const token = z.uuid().optional().describe('Of the answer to the same call without it. It allows exactly that, once, for five minutes.');
  return {
    ...text,
    description: `${text.description} Call it without token first: it does nothing, says what would happen, and gives the token with which the same call is carried out.`,
    input: z.strictObject({ ...shape, token }),
    writes: true,
    async run(context, given) {
      const { token: allowed, ...rest } = z.looseObject({ token }).parse(given);
      const wish = input.parse(rest);
      const action = `${text.name} ${JSON.stringify(sorted(wish))}`;
      if (allowed !== undefined) {
        const seen = context.confirmations.take(allowed, context.owner, action) as Seen;
        return { done: true, ...((await act(context, wish, seen)) as object) };
      }
      const { would, seen } = await foresee(context, wish);
      const { token: issued, expiresAt } = context.confirmations.issue(context.owner, action, seen);
      return { done: false, would, token: issued, expires_at: expiresAt, next: 'Nothing was done. Repeat the call with this token to do it.' };
    },
  };
}

/** The order in which arguments are named does not matter. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, sorted(field)]),
  );
}
