import { BlockList, isIP } from 'node:net';

// Where Telegram delivers. Source: core.telegram.org/bots/webhooks
const webhookPorts = new Set(['', '443', '80', '88', '8443']);

const inside = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  inside.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  inside.addSubnet(network, prefix, 'ipv6');

const insideNames = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|test|example|invalid)$/i;

/** Whether a provider on the internet can reach this address, as far as the address itself shows: encrypted, and not of a network of one's own. */
export function isReachableFromOutside(publicUrl: string): boolean {
  const { protocol, hostname, port } = new URL(publicUrl);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol !== 'https:' || !webhookPorts.has(port)) return false;
  const family = isIP(host);
  if (family !== 0) return !inside.check(host, family === 4 ? 'ipv4' : 'ipv6');
  return host.includes('.') && !insideNames.test(host);
}
