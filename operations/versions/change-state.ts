import { eq } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { enrollments, sequences, sequenceVersions, versionMoves } from '../../db/schema/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { addVersion, type SequenceRow } from '../publish-sequence.ts';
import { releaseHeld } from '../wake-running.ts';
import { decideRunning } from './publish.ts';

/**
 * `pause`: nothing of it is sent and nobody is taken in, until `resume`; no due time moves. `archive`: nobody is taken in any more, and those who run go on to
 * their end. `end`: the same, and everybody who runs exits at once.
 */
export const stateChanges = ['pause', 'resume', 'archive', 'unarchive', 'end'] as const;
export type StateChange = (typeof stateChanges)[number];

export type StateChanged = { kind: 'changed' } | { kind: 'unknown' } | { kind: 'not_published' };

/** Change what a whole sequence does. Repeating a change is one more line in the audit log and nothing else. */
export async function changeState(
  deps: Pick<Deps, 'db' | 'kickRelay'>,
  { tenantId, slug, change, actor, note }: { tenantId: string; slug: string; change: StateChange; actor: string; note: string | null },
): Promise<StateChanged> {
  const changed = await deps.db.withTenant(tenantId, async (tx): Promise<StateChanged> => {
    const [sequence] = await tx.select().from(sequences).where(eq(sequences.slug, slug)).for('no key update');
    if (sequence === undefined) return { kind: 'unknown' };
    if (sequence.currentVersionId === null) return { kind: 'not_published' };
    await carryOut[change](tx, sequence, actor);
    await recordAudit(tx, { tenantId, actor, action: `sequence.${change}`, subject: sequence.id, ...(note === null ? {} : { data: { note } }) });
    return { kind: 'changed' };
  });
  if (changed.kind === 'changed') deps.kickRelay();
  return changed;
}

const set = async (tx: Tx, { id }: SequenceRow, values: Partial<Pick<SequenceRow, 'status' | 'paused'>>) => {
  await tx.update(sequences).set(values).where(eq(sequences.id, id));
};

const carryOut: Record<StateChange, (tx: Tx, sequence: SequenceRow, actor: string) => Promise<void>> = {
  pause: (tx, sequence) => set(tx, sequence, { paused: true }),
  async resume(tx, sequence) {
    await set(tx, sequence, { paused: false });
    if (sequence.paused) await releaseHeld(tx, eq(enrollments.sequenceId, sequence.id), 'sequence_paused');
  },
  archive: (tx, sequence) => set(tx, sequence, { status: 'ARCHIVED' }),
  async unarchive(tx, sequence, actor) {
    await set(tx, sequence, { status: 'ACTIVE' });
    await renewEnded(tx, { ...sequence, status: 'ACTIVE' }, actor);
  },
  async end(tx, sequence) {
    await set(tx, sequence, { status: 'ARCHIVED' });
    await decideRunning(tx, sequence, null, { toVersionId: null, reason: 'sequence_ended' });
  },
};

/** Whoever is on a version that was ended exits: those who are taken in from now on need another one, with the same content. */
async function renewEnded(tx: Tx, sequence: SequenceRow, actor: string): Promise<void> {
  const [ended] = await tx
    .select({ definition: sequenceVersions.definition, content: sequenceVersions.content, sourceHash: sequenceVersions.sourceHash })
    .from(sequenceVersions)
    .innerJoin(versionMoves, eq(versionMoves.versionId, sequenceVersions.id))
    .where(eq(sequenceVersions.id, sequence.currentVersionId ?? ''));
  if (ended !== undefined) await addVersion(tx, sequence, ended, actor);
}
