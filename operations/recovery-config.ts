import { eq } from 'drizzle-orm';
import { sequences, sequenceVersions } from '../db/schema/index.ts';
import { type Channel, isChannel } from '../domain/channels/index.ts';
import type { SequenceDefinition } from '../domain/sequence/definition.ts';
import { minorDigits } from '../domain/money.ts';
import { formatDuration, parseDuration } from '../domain/sequence/duration.ts';
import type { Deps } from './deps.ts';
import { type CurrentSettings, readSettings } from './settings.ts';
import { deleteDraft, type SourceFault } from './versions/draft.ts';
import { editAllSteps } from './versions/edit-draft.ts';
import { publishDraft } from './versions/publish.ts';

export { formatDuration, isChannel, minorDigits, parseDuration };

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
  /** The version of the sequence that is in use; 0: none is. */
  sequenceVersion: number;
  /** Empty: the store has no such sequence. */
  steps: ConfiguredStep[];
}

export async function readRecoveryConfig(deps: Pick<Deps, 'db'>, tenantId: string): Promise<RecoveryConfig> {
  const [found] = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({ version: sequenceVersions.version, definition: sequenceVersions.definition })
      .from(sequences)
      .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
      .where(eq(sequences.slug, 'cart')),
  );
  const current = await readSettings(deps, tenantId);
  return { current, sequenceVersion: found?.version ?? 0, steps: found === undefined ? [] : found.definition.steps.flatMap(stepOf) };
}

/** A reaction has no time of its own: it is none of the steps that can be planned. */
function stepOf({ id, due, channels, offer }: SequenceDefinition['steps'][number]): ConfiguredStep[] {
  if (due.from === 'event') return [];
  const anchor = due.from === 'anchor' ? ('enrollment' as const) : ('previous step' as const);
  return [{ id, delayMs: due.delayMs, anchor, channels, offer: offer !== undefined }];
}

export type StepsConfigured =
  | { kind: 'configured' }
  | { kind: 'invalid'; faults: SourceFault[] }
  /** The sequence has no such step, or there is no sequence. */
  | { kind: 'unknown_step' }
  /** Somebody edits the sequence, or has published it meanwhile. */
  | { kind: 'in_the_way'; what: 'draft' | 'version' | 'archived' }
  /** Somebody waits for a step that would be gone. */
  | { kind: 'waited_for'; steps: string[] };

/** Publish a version of the sequence `cart` with these steps. Carts that are under way stay on their version. */
export async function configureSteps(
  deps: Pick<Deps, 'db' | 'subjects' | 'kickRelay'>,
  { tenantId, actor, base, steps }: { tenantId: string; actor: string; base: number; steps: readonly ConfiguredStep[] },
): Promise<StepsConfigured> {
  const where = { tenantId, slug: 'cart', actor };
  const wishes = steps.map(({ id, delayMs, anchor, channels, offer }) => {
    const span = formatDuration(delayMs);
    return { id, due: anchor === 'enrollment' ? { at: span } : { after: span }, channels: [...channels], offer };
  });
  const edited = await editAllSteps(deps, { ...where, wishes });
  if (edited.kind === 'invalid') return edited;
  if (edited.kind === 'has_draft' || edited.kind === 'busy') return { kind: 'in_the_way', what: 'draft' };
  if (edited.kind !== 'edited') return { kind: 'unknown_step' };
  const published = await publishDraft(deps, { ...where, baseVersion: base, draftHash: null, running: null });
  if (published.kind === 'published') return { kind: 'configured' };
  await deleteDraft(deps, where);
  switch (published.kind) {
    case 'unchanged':
      return { kind: 'configured' };
    case 'invalid':
      return published;
    case 'choice_needed':
      return { kind: 'waited_for', steps: published.waitedFor.map(({ step }) => step) };
    case 'archived':
      return { kind: 'in_the_way', what: 'archived' };
    case 'stale':
      return { kind: 'in_the_way', what: 'version' };
    default:
      return { kind: 'unknown_step' };
  }
}
