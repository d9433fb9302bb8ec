import { PrivateAddressError, refusePrivateLiteral } from '../../../integrations/http/outbound.ts';

/** An http(s) address that may be called, as far as its text shows. Host names are checked when they are resolved, at each attempt. */
export function readUrl(text: string): { address: string } | { fault: string } {
  const written = text.trim();
  if (written.length > 2_000 || !URL.canParse(written) || !/^https?:$/.test(new URL(written).protocol)) return { fault: 'is no http(s) address' };
  const { hostname, username, password, href } = new URL(written);
  if (username !== '' || password !== '') return { fault: 'holds a user name or a password: leave them out' };
  try {
    refusePrivateLiteral(hostname);
    return { address: href };
  } catch (error) {
    if (error instanceof PrivateAddressError) return { fault: error.message };
    throw error;
  }
}

/** The path of such an address is what lets somebody in. */
export const hostOf = (address: string): string => new URL(address).host;
