import { type LookupAddress, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, buildConnector, fetch as undiciFetch } from 'undici';

/*
 * Every call that leaves goes through here, because most addresses that are called were entered by a store or came from a page: without this, whoever may
 * enter one could read what only this machine's own network answers. The address is looked at after it was resolved, and it is the one that is connected to,
 * so that a name which resolves to something else a moment later gains nothing.
 */

/** Where the process may connect to besides the public internet. */
export type PrivateAddresses =
  | { kind: 'all' }
  /** Only these: ranges as CIDR, e.g. `10.20.0.0/16` or `fd00::/8`, and hosts by the name under which they are called, wherever they are. */
  | { kind: 'only'; ranges: readonly string[]; hosts: readonly string[] };

/** Thrown instead of connecting. */
export class PrivateAddressError extends Error {
  readonly code = 'private_address';
  override readonly name = 'PrivateAddressError';
  constructor(host: string) {
    super(`${host} is in a private network, which this installation does not call: whoever runs it can allow it by REKINDLE_PRIVATE_ADDRESSES`);
  }
}

// One process has one network. A process that says nothing may call its own machine, as tests and demos do; those of an installation say it when they start.
let allowed: PrivateAddresses = { kind: 'all' };

/** For the start of a process. @returns what held before */
export function restrictPrivateAddresses(addresses: PrivateAddresses): PrivateAddresses {
  const before = allowed;
  allowed = addresses;
  return before;
}

/** Whether the process may connect to an address. @param address - IPv4 or IPv6 */
export function mayConnectTo(address: string): boolean {
  if (allowed.kind === 'all') return true;
  const bare = address.split('%', 1)[0] ?? '';
  if (!ipaddr.isValid(bare)) return false;
  // An IPv4 address that is written as IPv6 is the IPv4 address.
  const parsed = ipaddr.process(bare);
  if (parsed.range() === 'unicast') return true;
  return allowed.ranges.some((range) => {
    const [network, bits] = ipaddr.parseCIDR(range);
    return network.kind() === parsed.kind() && parsed.match(network, bits);
  });
}

/** Whether the installation itself has named the host, and not a store. */
const isNamed = (host: string): boolean => allowed.kind === 'only' && allowed.hosts.includes(host.toLowerCase());

/** @throws PrivateAddressError for the address of a private network itself; names are looked at when they are resolved */
export function refusePrivateLiteral(host: string): void {
  const bare = host.replace(/^\[|\]$/g, '');
  if (isIP(bare) !== 0 && !isNamed(bare) && !mayConnectTo(bare)) throw new PrivateAddressError(host);
}

/** `dns.lookup` without the addresses that may not be connected to. For `net.connect` and everything built on it. */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    if (error !== null) return callback(error, '');
    const usable = isNamed(hostname) ? found : found.filter(({ address }) => mayConnectTo(address));
    const [first] = usable;
    if (first === undefined) return callback(new PrivateAddressError(hostname), '');
    return options.all === true ? callback(null, usable) : callback(null, first.address, first.family);
  });
};

const connectAnywhere = buildConnector({ lookup: lookupPublic });
const agent = new Agent({
  connect: (options, callback) => {
    try {
      refusePrivateLiteral(options.hostname);
    } catch (error) {
      return callback(error instanceof Error ? error : new Error(String(error)), null);
    }
    return connectAnywhere(options, callback);
  },
});

/** `fetch` for calls to addresses that a store has entered. @throws as `fetch` does; the cause of a refused address is a `PrivateAddressError` */
export const outboundFetch = ((input: Parameters<typeof undiciFetch>[0], init?: Parameters<typeof undiciFetch>[1]) =>
  // Its types are those of another copy of the same declarations.
  undiciFetch(input, { ...init, dispatcher: agent })) as unknown as typeof fetch;
