import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

/** What a name has: texts of TXT records, hosts of MX records, addresses of A records. */
export type Zone = Readonly<Record<string, { txt?: readonly string[]; mx?: readonly string[]; a?: readonly string[] }>>;

const types = { a: 1, mx: 15, txt: 16 } as const;

/** A DNS server on loopback that knows a zone and nothing else. Source: RFC 1035, section 4 */
export async function startDnsServer(zone: Zone): Promise<{ address: string; stop(): Promise<void> }> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => socket.send(answerTo(query, zone), port, address));
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  const { port } = socket.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, stop: () => new Promise((done) => socket.close(done)) };
}

function answerTo(query: Buffer, zone: Zone): Buffer {
  const { name, end } = readName(query, 12);
  const type = query.readUInt16BE(end);
  const known = Object.hasOwn(zone, name.toLowerCase()) ? zone[name.toLowerCase()] : undefined;
  const kind = (Object.keys(types) as (keyof typeof types)[]).find((one) => types[one] === type);
  const records = kind === undefined ? [] : (known?.[kind] ?? []).map((value) => recordOf(kind, value));
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  // An answer of an authority; no such name, where the zone has none.
  header.writeUInt16BE(0x8580 | (known === undefined ? 3 : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  const resource = (data: Buffer) => {
    const head = Buffer.alloc(12);
    // The name as in the question.
    head.writeUInt16BE(0xc00c, 0);
    head.writeUInt16BE(type, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(data.length, 10);
    return Buffer.concat([head, data]);
  };
  return Buffer.concat([header, query.subarray(12, end + 4), ...records.map(resource)]);
}

function readName(message: Buffer, from: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = from;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 1 };
}

function recordOf(kind: keyof typeof types, value: string): Buffer {
  if (kind === 'a') return Buffer.from(value.split('.').map(Number));
  if (kind === 'mx') return Buffer.concat([Buffer.from([0, 10]), nameOf(value)]);
  const parts = value.match(/[\s\S]{1,255}/g) ?? [''];
  return Buffer.concat(parts.map((part) => Buffer.concat([Buffer.from([part.length]), Buffer.from(part, 'latin1')])));
}

const nameOf = (host: string): Buffer =>
  Buffer.concat([
    ...host.split('.').flatMap((label) => (label === '' ? [] : [Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])])),
    Buffer.from([0]),
  ]);
