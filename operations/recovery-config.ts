import { eq } from 'drizzle-orm';
import { sequences, sequenceVersions } from '../db/schema/index.ts';
import type { Channel } from '../domain/channels/index.ts';
import type { SequenceDefinition } from '../domain/sequence/definition.ts';
import { minorDigits } from '../domain/money.ts';
import { formatDuration } from '../domain/sequence/duration.ts';
import type { Deps } from './deps.ts';
import { type CurrentSettings, readSettings } from './settings.ts';

export { formatDuration, minorDigits };

/** A step of the store's cart recovery. */
export interface ConfiguredStep {
  id: string;
  /** Milliseconds after the cart was left, or after the step before. */
  delayMs: number;
  anchor: 'enrollment' | 'previous step';
  channels: Channel[];
  offer: boolean;
}

/** What cart recovery is configured by: the store's settings, and the steps of its sequence `cart`. */
export interface RecoveryConfig {
  current: CurrentSettings;
  /** Empty: the store has no such sequence. */
  steps: ConfiguredStep[];
}

export async function readRecoveryConfig(deps: Pick<Deps, 'db'>, tenantId: string): Promise<RecoveryConfig> {
  const [found] = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({ definition: sequenceVersions.definition })
      .from(sequences)
      .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
      .where(eq(sequences.slug, 'cart')),
  );
  return { current: await readSettings(deps, tenantId), steps: found === undefined ? [] : found.definition.steps.flatMap(stepOf) };
}

/** A reaction has no time of its own: it is none of the steps that can be planned. */
function stepOf({ id, due, channels, offer }: SequenceDefinition['steps'][number]): ConfiguredStep[] {
  if (due.from === 'event') return [];
  const anchor = due.from === 'anchor' ? ('enrollment' as const) : ('previous step' as const);
  return [{ id, delayMs: due.delayMs, anchor, channels, offer: offer !== undefined }];
}
