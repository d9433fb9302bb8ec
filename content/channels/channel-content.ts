import type { Channel, PayloadOf } from '../../domain/channels/index.ts';
import type { AnySubjectKind } from '../../domain/subjects/index.ts';
import type { CopyFacts } from '../copy-facts.ts';
import type { CopySource } from '../copy-source.ts';

/** The purpose for which a text is compiled. */
export interface CopyPurpose {
  /** What the message is about: its views and samples. */
  kind: AnySubjectKind;
  /** It is used in the first step of its sequence that may go out on this channel. */
  isFirst: boolean;
  /** The language that the name of the text gives (BCP 47); null: the text itself says it, or it is English. */
  language: string | null;
}

/**
 * How messages of a channel are made. `compile` runs when a version is published, and its result is stored with the version; `compose` runs at
 * the moment of sending, under the person's lock, so it is synchronous and pure.
 */
export interface ChannelContent<C extends Channel = Channel, Compiled = unknown> {
  /** Files of this channel end with it, before `.liquid`. Empty for one channel only: its texts have the bare name. */
  suffix: string;
  /**
   * @throws CopySourceError with every problem found, each with file and line
   */
  compile(source: CopySource, purpose: CopyPurpose): Promise<Compiled>;
  /** What the words of a model are put into, by language, English included. Absent: no model writes for this channel. */
  forModel?(kind: AnySubjectKind): Promise<Readonly<Record<string, Compiled>>>;
  /**
   * Reads what `compile` has stored, in this or an earlier version of the product; null on a channel that carries no text of ours.
   * @throws ZodError when it is none of them
   */
  read(stored: unknown): Compiled;
  /** @param to - the address, in the spelling of identities */
  compose(compiled: Compiled, facts: CopyFacts, to: string): PayloadOf<C>;
  /** What a preview names besides the message itself; absent: nothing. */
  parts?(compiled: Compiled, facts: CopyFacts): { preheader: string | null; cta: string | null };
}
