import { settingsOf } from '../../domain/tenant-settings.ts';
import { readMoney } from '../../integrations/read/money.ts';
import type { Deps } from '../deps.ts';
import { readTenant } from '../intake/tenant.ts';

/**
 * An amount that a person or a program states, in minor units.
 * @param stated.currency - null: the store's
 * @returns null where it is no amount of that currency
 */
export async function statedAmount(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  { payout, currency }: { payout: string | number | null; currency: string | null },
): Promise<{ currency: string | null; payoutMinor: number | null } | null> {
  if (payout === null) return { currency: null, payoutMinor: null };
  const settings = settingsOf(await deps.db.withTenant(tenantId, (tx) => readTenant(tx, tenantId)));
  const known = currency ?? settings.currency;
  const payoutMinor = readMoney(payout, 'payout', [], known);
  return payoutMinor === null ? null : { currency: known, payoutMinor };
}
