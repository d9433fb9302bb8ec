import { eq } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { enrollments } from '../../db/schema/index.ts';
import { moveTo } from '../../domain/versions/move-to.ts';
import type { VersionMove } from './facts.ts';
import { type Locked, lockStep } from './fence.ts';
import { readProgress } from './progress.ts';
import { addToStory, writeSkip } from './records.ts';
import type { Version, VersionCache } from './versions.ts';

/**
 * Carry out what a publisher decided for those who run: from now on the enrollment is in the other version, and the steps of that version that lie
 * before its place are left out. Not while a call of one of its steps may be running or can be repeated: that call belongs to the version that made it.
 * @param locked - of the enrollment, whose locks are held
 * @returns what was read under the locks, as it is now; null: it keeps its version
 * Source: docs/adr/0028-versions.md
 */
export async function followMove(
  tx: Tx,
  versions: VersionCache,
  { enrollment, ledger, row }: Locked,
  move: VersionMove | null,
  nowMs: number,
): Promise<{ locked: Locked; version: Version } | null> {
  if (move === null || move.to === null || enrollment.endedAt !== null) return null;
  if (ledger.some(({ live, state }) => live || state === 'claimed') || row?.state === 'unknown') return null;
  const [from, to] = [await versions.load(tx, enrollment.versionId), await versions.load(tx, move.to)];
  const moved = moveTo(from.definition, to.definition, new Set(Object.keys(readProgress(enrollment, ledger).settled)));
  if (moved.kind === 'stays') return null;
  await tx.update(enrollments).set({ versionId: move.to }).where(eq(enrollments.id, enrollment.id));
  for (const stepId of moved.passed) writeSkip(tx, enrollment, stepId, 'passed', nowMs);
  addToStory(tx, enrollment, 'version_changed', { from: from.version, to: to.version, passed: moved.passed });
  const locked = await lockStep(tx, enrollment.id, row?.stepId ?? '');
  if (locked === null) throw new Error('an enrollment vanished under its lock');
  return { locked, version: to };
}
