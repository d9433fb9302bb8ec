import { normaliseEmail } from '../domain/people/identity.ts';
import { tenantSettings } from '../domain/tenant-settings.ts';
import type { StoreContext } from '../integrations/port.ts';
import type { TenantRow } from './events/context.ts';

/** What a receiver knows about the store whose delivery it reads. */
export function storeContextOf(tenant: Pick<TenantRow, 'settings'>): StoreContext {
  const { timeZone, country, storeUrl, currency, senderAddress, supportEmail, replyTo } = tenantSettings.parse(tenant.settings);
  const addresses = [senderAddress, supportEmail, replyTo].map((address) => normaliseEmail(address)).filter((address) => address !== null);
  return { timeZone, country, url: storeUrl, currency, addresses };
}
