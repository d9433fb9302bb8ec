import { callFunction } from '../../db/client.ts';
import { kindsToApply, type RetentionKind } from '../../domain/privacy/retention.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { readTenant } from '../intake/tenant.ts';

type RetentionDeps = Pick<Deps, 'db' | 'subjects' | 'log' | 'clock'>;

/** Rows per statement, few enough that other transactions do not wait long for its locks. */
const rowsAtOnce = 1_000;

export interface RetentionRun {
  /** Count what is too old, and change nothing. */
  dryRun: boolean;
  /** Ends after this, and the next run does the rest. */
  withinMs: number;
  onProgress?: () => void;
}

export interface RetentionReport {
  /** Rows that were emptied or deleted, or would be, by kind. */
  rows: Partial<Record<RetentionKind, number>>;
  finished: boolean;
}

/** Take away what a store's settings (`retention`) keep for a number of days only, in small transactions. Source: docs/rules.md#rule-75 */
export async function applyRetention(
  deps: RetentionDeps,
  tenantId: string,
  { dryRun, withinMs, onProgress }: RetentionRun,
): Promise<RetentionReport> {
  const endMs = deps.clock.monotonicMs() + withinMs;
  const { retention } = settingsOf(await deps.db.withTenant(tenantId, (tx) => readTenant(tx, tenantId)));
  const emptyCart = JSON.stringify(deps.subjects.all.find(({ kind }) => kind === 'cart')?.details.safeParse({}).data ?? {});
  const rows: RetentionReport['rows'] = {};
  for (const { kind, days } of kindsToApply(retention)) {
    for (let changed = rowsAtOnce; changed === rowsAtOnce; ) {
      if (deps.clock.monotonicMs() > endMs) return { rows, finished: false };
      onProgress?.();
      const call = [kind, days, rowsAtOnce, dryRun, emptyCart];
      const n = await deps.db.withTenant(tenantId, (tx) => callFunction<number>(tx, 'apply_retention($1, $2, $3, $4, $5)', call));
      if (n > 0) rows[kind] = (rows[kind] ?? 0) + n;
      changed = dryRun ? 0 : n;
    }
  }
  return { rows, finished: true };
}

/** Of every store, as it runs each night. A store that fails does not keep the others from it. */
export async function applyRetentionEverywhere(deps: RetentionDeps, onProgress: () => void = () => undefined): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { id, slug } of await deps.db.listTenants()) {
    try {
      const { rows } = await applyRetention(deps, id, { dryRun: false, withinMs: 600_000, onProgress });
      for (const [kind, n] of Object.entries(rows)) sums[kind] = (sums[kind] ?? 0) + n;
    } catch (error) {
      deps.log.error({ tenant: slug, err: error }, 'what is too old could not be taken away');
    }
  }
  if (Object.keys(sums).length > 0) deps.log.info({ ...sums }, 'what was too old was taken away');
  return sums;
}
