import type { Delivery, Receiver } from '../integrations/port.ts';

// A delivery in the quarantine: its body, and of headers and query what its receiver reads. Method and query stand among the headers, under the
// names that HTTP/2 gives to such fields; no header of a request can have them.
const methodField = ':method';
const queryField = ':query';

/** Only what reading it again needs: no signature, and one value of each header. */
export function keptOf(receiver: Receiver, delivery: Delivery): { body: string; headers: Record<string, string> } {
  const headers = receiver.readsHeaders.flatMap((name) => {
    const value = delivery.headers[name];
    return typeof value === 'string' ? [[name, value.replaceAll('\0', '').slice(0, 500)]] : [];
  });
  const query = queryOf(receiver, delivery);
  if (query !== '') headers.push([queryField, query]);
  if (delivery.method !== 'POST') headers.push([methodField, delivery.method]);
  return { body: delivery.raw.toString('utf8').replace(/^\ufeff/, ''), headers: Object.fromEntries(headers) };
}

function queryOf(receiver: Receiver, delivery: Delivery): string {
  const kept = new URLSearchParams();
  const given = new URL(delivery.url).searchParams;
  const { readsQuery = [] } = receiver;
  const names = 'allBut' in readsQuery ? [...new Set(given.keys())].filter((name) => !readsQuery.allBut.includes(name)) : readsQuery;
  for (const name of names) for (const value of given.getAll(name)) kept.append(name, value.replaceAll('\0', '').slice(0, 500));
  return kept.toString();
}

/**
 * The delivery as its receiver reads it again.
 * @param kept.topic - deliveries that an earlier build quarantined have no headers, but their topic is known
 * @param webhookUrl - of its connection, without a query
 */
export function deliveryOf(
  receiver: Receiver,
  kept: { topic: string; body: string; headers: Record<string, string>; receivedAt: number },
  webhookUrl: string,
): Delivery {
  const { [methodField]: method, [queryField]: query, ...headers } = kept.headers;
  const named = receiver.topicHeader === null || kept.topic === 'unknown' ? {} : { [receiver.topicHeader]: kept.topic };
  return {
    method: method === 'GET' ? 'GET' : 'POST',
    url: query === undefined ? webhookUrl : `${webhookUrl}?${query}`,
    raw: Buffer.from(kept.body),
    headers: { ...named, ...headers },
    receivedAtMs: kept.receivedAt,
  };
}
