import { ownAddressesOf, settingsOf } from '../domain/tenant-settings.ts';
import type { StoreContext } from '../integrations/port.ts';
import type { TenantRow } from './intake/delivery.ts';

/** What a receiver needs to know about the store whose delivery it reads. */
export function storeContextOf(tenant: Pick<TenantRow, 'settings'>): StoreContext {
  const settings = settingsOf(tenant);
  const { timeZone, country, storeUrl, currency } = settings;
  return { timeZone, country, url: storeUrl, currency, addresses: ownAddressesOf(settings) };
}
