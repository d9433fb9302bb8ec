import type { SenderContext, SendOutcome } from '../port.ts';
import type { GoHighLevelConfig } from './config.ts';

/** By what a location lets us in. */
export interface Login {
  /** @throws Error where there is none: certainly nothing was sent */
  token(): Promise<string>;
  /** What became of a call with this token: where it was refused, the next one is another. */
  judged<O extends SendOutcome>(token: string, outcome: O): Promise<O>;
}

/** A private integration token counts until somebody changes it; an app's is renewed. */
export function loginOf({ token: own }: GoHighLevelConfig, { tokens }: SenderContext): Login {
  return {
    async token() {
      if (own !== undefined) return own;
      if (tokens === undefined) throw new Error('the connection is let in by an app, whose tokens are not at hand here');
      return tokens.current();
    },
    async judged(token, outcome) {
      if (own === undefined && outcome.kind === 'refused' && outcome.response.endsWith(' 401')) await tokens?.refused(token).catch(() => undefined);
      return outcome;
    },
  };
}
