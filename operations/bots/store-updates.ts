import type { DomainEvent } from '../../domain/events.ts';
import type { ChatWindow, FetchedUpdate, Receiver } from '../../integrations/port.ts';
import { applyWaitingRows, insertInbox, insertQuarantined } from '../apply-delivery.ts';
import { withLinkedPerson } from '../chat/links.ts';
import type { Deps } from '../deps.ts';
import { isStop } from '../effects/index.ts';
import type { StoredDelivery, TenantRow } from '../intake/delivery.ts';
import { readTenant } from '../intake/tenant.ts';
import { storeContextOf } from '../store-context.ts';
import { webhookUrlOf } from '../webhook-url.ts';
import { type BotRef, changeBot } from './lease.ts';

type Waiting = StoredDelivery & { id: string; tenant: TenantRow; events: readonly DomainEvent[] };

/**
 * Store updates as deliveries, and in the same transaction from which one on the next are fetched: whatever happens to this process, each is stored
 * once. Then apply them; what cannot be applied at once, the inbox worker does.
 * @throws LostBotError: another process keeps the bot, and nothing was stored
 */
export async function storeUpdates(
  deps: Deps,
  ref: BotRef & { integration: string; holder: string; receiver: Receiver },
  updates: readonly FetchedUpdate[],
  chat: ChatWindow,
): Promise<void> {
  const { tenantId, connectionId, integration, receiver } = ref;
  const next = Math.max(...updates.map(({ id }) => id)) + 1;
  const stored = await deps.db.withTenant(tenantId, async (tx) => {
    await changeBot(tx, ref, ref.holder, { nextUpdate: next });
    const tenant = await readTenant(tx, tenantId);
    const store = { ...storeContextOf(tenant), chat };
    const url = webhookUrlOf(deps, integration, connectionId);
    const waiting: Waiting[] = [];
    for (const { key, raw } of updates) {
      const read = receiver.reread({ method: 'POST', url, raw, headers: {}, receivedAtMs: deps.clock.nowMs() }, store);
      const row = { tenantId, connectionId, dedupeKey: key, topic: read.topic, tenant };
      if (read.kind === 'ignored') await insertInbox(tx, row, 'ignored', []);
      else if (read.kind === 'unreadable') {
        const { reason, fields: notes, mayBeStop } = read;
        deps.log.error(
          { tenantId, integration, topic: read.topic, reason, mayBeStop },
          'an update of a bot could not be read: it is kept in the quarantine',
        );
        deps.telemetry.unreadable(integration, receiver.topics.includes(read.topic) ? read.topic : 'other', mayBeStop);
        await insertQuarantined(tx, { ...row, notes }, { reason, body: raw.toString(), headers: {}, mayBeStop });
      } else {
        const events = await withLinkedPerson(deps, tenantId, read.events, (work) => work(tx));
        const id = await insertInbox(tx, { ...row, notes: read.notes }, 'pending', events);
        if (id !== null) waiting.push({ ...row, notes: read.notes, id, events });
      }
    }
    return waiting;
  });
  await deps.checkpoints('bot.stored');
  const attempts = await applyWaitingRows(deps, stored);
  for (const [index, attempt] of attempts.entries()) {
    if (attempt.status === 'rejected') {
      const stops = stored[index]?.events.some(isStop) === true;
      deps.log.warn({ tenantId, connectionId, stops, err: attempt.reason }, 'an update of a bot is applied later');
    } else if (attempt.value.kind === 'applied' && attempt.value.applied.outboxWritten) deps.kickRelay();
  }
}
