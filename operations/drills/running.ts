import { and, gt, isNull } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { outageDrills } from '../../db/schema/index.ts';
import { isChannel } from '../../domain/channels/index.ts';
import type { OutageDrill } from '../../domain/drills/outage-drill.ts';

export type DrillRow = typeof outageDrills.$inferSelect;

/** The outage that the store practises now; null: none. */
export async function readRunningDrill(tx: Tx, nowMs: number): Promise<OutageDrill | null> {
  const row = await runningRow(tx, nowMs);
  return row === null ? null : toDrill(row);
}

export async function runningRow(tx: Tx, nowMs: number): Promise<DrillRow | null> {
  const [row] = await tx
    .select()
    .from(outageDrills)
    .where(and(isNull(outageDrills.endedAt), gt(outageDrills.endsAt, nowMs)))
    .limit(1);
  return row ?? null;
}

const toDrill = ({ part, channel, sharePercent, endsAt, endedAt }: DrillRow): OutageDrill => ({
  ...{ part, sharePercent, endsAtMs: endedAt ?? endsAt },
  channel: isChannel(channel) ? channel : null,
});
