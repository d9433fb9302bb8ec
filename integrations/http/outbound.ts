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
  /** Only these ranges, as CIDR, e.g. `10.20.0.0/16` or `fd00::/8`; and the installation's own mail server, wherever it is, for SMTP alone. */
  | { kind: 'only'; ranges: readonly string[]; mailServer: MailServer | null };

/** As it is called: a name or an address in lower case. */
interface MailServer {
  host: string;
  port: number;
}

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

/** The only IPv6 addresses of the public internet. `ipaddr.js` calls others unicast, too, e.g. `::7f00:1`, which is 127.0.0.1 in a notation of old (RFC 4291, 2.5.5.1). */
const globalUnicast = ipaddr.parseCIDR('2000::/3');

/** Whether the process may connect to an address. @param address - IPv4 or IPv6 */
export function mayConnectTo(address: string): boolean {
  if (allowed.kind === 'all') return true;
  const bare = address.split('%', 1)[0] ?? '';
  if (!ipaddr.isValid(bare)) return false;
  // An IPv4 address that is written as IPv6 is the IPv4 address.
  const parsed = ipaddr.process(bare);
  if (parsed.range() === 'unicast' && (parsed.kind() === 'ipv4' || parsed.match(globalUnicast))) return true;
  return allowed.ranges.some((range) => {
    const [network, bits] = ipaddr.parseCIDR(range);
    return network.kind() === parsed.kind() && parsed.match(network, bits);
  });
}

/**
 * Whether the installation itself sends by this server. Its port counts, and only SMTP asks: other servers on the same host, such as a page of its mailbox, are
 * private.
 */
export function isOwnMailServer({ host, port }: MailServer): boolean {
  return allowed.kind === 'only' && allowed.mailServer?.host === host.toLowerCase() && allowed.mailServer.port === port;
}

/** @throws PrivateAddressError for the address of a private network itself; names are looked at when they are resolved */
export function refusePrivateLiteral(host: string): void {
  const bare = host.replace(/^\[|\]$/g, '');
  if (isIP(bare) !== 0 && !mayConnectTo(bare)) throw new PrivateAddressError(host);
}

/** `dns.lookup` without the addresses that may not be connected to. For `net.connect` and everything built on it. */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    if (error !== null) return callback(error, '');
    const usable = found.filter(({ address }) => mayConnectTo(address));
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

/** Far more than any answer that is asked for, after it was decompressed: a megabyte of gzip can hold a gigabyte. */
const mostAnswerBytes = 16 * 1024 * 1024;

/** Thrown while an answer is read that would fill the memory. */
class EndlessAnswerError extends Error {
  readonly code = 'endless_answer';
  override readonly name = 'EndlessAnswerError';
  constructor() {
    super(`the answer is longer than ${mostAnswerBytes / 1024 / 1024} MiB`);
  }
}

/** The same answer, whose body fails once it is too long. */
function bounded(response: Response): Response {
  if (response.body === null) return response;
  let bytes = 0;
  const counting = new TransformStream<Uint8Array, Uint8Array>({
    transform(part, controller) {
      bytes += part.byteLength;
      if (bytes > mostAnswerBytes) controller.error(new EndlessAnswerError());
      else controller.enqueue(part);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(counting), { status, statusText, headers });
}

/**
 * `fetch` for calls to addresses that a store has entered. Its answers are read up to 16 MiB.
 * @throws as `fetch` does; the cause of a refused address is a `PrivateAddressError`
 */
export const outboundFetch = (async (input: Parameters<typeof undiciFetch>[0], init?: Parameters<typeof undiciFetch>[1]) =>
  // Its types are those of another copy of the same declarations.
  bounded((await undiciFetch(input, { ...init, dispatcher: agent })) as unknown as Response)) as unknown as typeof fetch;
