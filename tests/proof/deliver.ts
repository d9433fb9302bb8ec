import { randomUUID } from 'node:crypto';
import { acceptDelivery, type Acceptance } from '../../operations/accept-delivery.ts';
import { signStandardWebhook } from '../../integrations/standard-webhooks.ts';
import { beyondCounting } from '../chaos/lenient-receiver.ts';
import { posted } from '../helpers/a-delivery.ts';
import type { MortalProcess } from './mortal-process.ts';
import type { Called, Delivered } from './moves/move.ts';
import { moveNamed } from './moves/index.ts';
import type { ActionPlan, Companion, ProcessPlan } from './plan.ts';
import { type HistoryStage, livesAfter, sleep } from './stage.ts';
import { subjects } from './subjects/index.ts';

/** An event under the id with which its sender repeats it. */
interface Webhook {
  id: string;
  payload: string;
  event: Delivered;
  /** Postgres cannot store what it says: it is answered so, and changes nothing. */
  unstorable: boolean;
}

/** What arrives from outside, and what arrives beside it at the same process. */
export async function act(stage: HistoryStage, action: ActionPlan, name: string): Promise<void> {
  const { move, run } = action.doing;
  await stage.until(action.when, run);
  const sent = await moveNamed(move).make(stage, run, name);
  if (sent === null) return;
  if (sent.kind === 'call') return insist(stage, sent, action, name);
  const companions = await Promise.all(action.together.map((companion, at) => eventOf(stage, companion, `${name}c${at + 1}`)));
  const together = [{ event: sent, unstorable: false }, ...companions.filter((c) => c !== null)];
  await deliverTogether(stage, together, action, name);
  await Promise.all(together.map(({ event }) => event.afterwards?.() ?? Promise.resolve()));
}

/** Deliver what a history begins with. */
export function deliverPlainly(stage: HistoryStage, event: Pick<Delivered, 'type' | 'data' | 'atMs'>): Promise<void> {
  const plain: Delivered = { ...event, kind: 'delivery', isStop: false, answered: () => undefined };
  return deliverTogether(stage, [{ event: plain, unstorable: false }], { lives: [], repeatsMs: [] }, 'setup');
}

async function eventOf(stage: HistoryStage, companion: Companion, name: string): Promise<Pick<Webhook, 'event' | 'unstorable'> | null> {
  const email = `${name}.${stage.id}@example.com`;
  const ignoresAnswer = { kind: 'delivery', atMs: Date.now() - 500, isStop: false, answered: () => undefined } as const;
  if (companion === 'stranger') {
    const token = `stranger-${name}-${stage.id}`;
    const answered = (atMs: number) => void stage.seen.strangers.set(token, { answeredMs: atMs, known: false });
    const data = subjects.cart.report(token, { email });
    return { event: { ...ignoresAnswer, type: subjects.cart.type, data, answered }, unstorable: false };
  }
  if (companion === 'unstorable') {
    const contact = { email: `${beyondCounting}.${email}` };
    return { event: { ...ignoresAnswer, type: 'contact.updated', data: { contact } }, unstorable: true };
  }
  const sent = await moveNamed(companion.move).make(stage, companion.run, name);
  return sent?.kind === 'delivery' ? { event: sent, unstorable: false } : null;
}

/** A shop delivers, and delivers again what was not answered 2xx; `repeatsMs`: also what was. */
async function deliverTogether(
  stage: HistoryStage,
  events: readonly Pick<Webhook, 'event' | 'unstorable'>[],
  { lives, repeatsMs }: Pick<ActionPlan, 'lives' | 'repeatsMs'>,
  name: string,
): Promise<void> {
  const webhooks = events.map(({ event, unstorable }): Webhook => {
    const { type, data, atMs } = event;
    const payload = JSON.stringify({ type, timestamp: new Date(atMs).toISOString(), data });
    return { id: `${name}-${stage.id}-${randomUUID()}`, payload, event, unstorable };
  });
  if (webhooks.length > 1) stage.counts.sets += 1;
  await Promise.all([
    untilAnswered(stage, webhooks, lives, name),
    ...repeatsMs.map((afterMs, at) => repeat(stage, afterMs, () => untilAnswered(stage, webhooks, [], `${name}r${at + 1}`))),
  ]);
}

function repeat(stage: HistoryStage, afterMs: number, again: () => Promise<void>): Promise<void> {
  stage.counts.repeats += 1;
  return sleep(afterMs).then(again);
}

async function untilAnswered(stage: HistoryStage, webhooks: readonly Webhook[], planned: ProcessPlan[], who: string): Promise<void> {
  let open = [...webhooks];
  const failed = new Set<Webhook>();
  for (const life of livesAfter(planned)) {
    const process = stage.process(who, life, null);
    process.sets.expect(open.length);
    const unanswered = await Promise.all(
      open.map(async (webhook) => {
        stage.note(`${process.name} delivers ${webhook.event.type}${webhook.unstorable ? ' that cannot be stored' : ''}`);
        const result = await stage.attempt(process, () => post(stage, process, webhook));
        if (result === null) failed.add(webhook);
        else failed.delete(webhook);
        if (result === null || result === 'died') return webhook;
        stage.note(`${process.name}: ${webhook.event.type} ${result.kind === 'accepted' ? `2xx ${result.result}` : result.kind}`);
        return isAnswered(stage, webhook, result) ? null : webhook;
      }),
    );
    open = unanswered.filter((webhook) => webhook !== null);
    if (open.length === 0) return;
    await sleep(life.waitMs);
  }
  for (const { event } of open.filter((webhook) => failed.has(webhook)))
    stage.seen.answers.push({ id: null, expected: 'applied', said: `${event.type} failed again and again, and was never answered` });
}

function post({ world, plan }: HistoryStage, process: MortalProcess, { id, payload }: Webhook): Promise<Acceptance> {
  const { path, secret } = world.tenantOf(plan.providers, plan.optOutAll).webhooks.generic;
  const connectionId = path.slice(path.lastIndexOf('/') + 1);
  const seconds = Math.floor(Date.now() / 1_000);
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signStandardWebhook(secret, id, seconds, payload),
  };
  const delivery = posted({ raw: Buffer.from(payload), headers, receivedAtMs: Date.now() });
  return acceptDelivery(process.deps, 'generic', connectionId, delivery);
}

/** Note an answer. @returns false: the sender has to come again */
function isAnswered({ seen, counts }: HistoryStage, { id, event, unstorable }: Webhook, acceptance: Acceptance): boolean {
  const { kind } = acceptance;
  if (kind === 'busy' || kind === 'overloaded') {
    counts.busy += 1;
    return false;
  }
  const said = kind === 'accepted' ? acceptance.result : kind;
  // What is stored for later is set aside later.
  const right = unstorable ? ['quarantined', 'unreadable', 'pending'] : ['applied', 'repeated', 'pending'];
  if (right.includes(said)) seen.answers.push({ id, expected: unstorable ? 'quarantined' : 'applied', said: null });
  else seen.answers.push({ id, expected: 'applied', said: `${event.type} was answered as ${said}` });
  if (unstorable) {
    counts.unstorable += 1;
    return true;
  }
  if (said === 'pending') counts.stored_as_pending += 1;
  // Whoever reports a stop takes any 2xx for its answer.
  if (said !== 'pending' || event.isStop) event.answered(performance.now());
  if (event.isStop) counts.stops += 1;
  return true;
}

/** A stop that is no delivery: asked again until it is answered. */
async function insist(stage: HistoryStage, { words, call, answered }: Called, { lives, repeatsMs }: ActionPlan, name: string): Promise<void> {
  const once = async (planned: ProcessPlan[], who: string) => {
    for (const life of livesAfter(planned)) {
      const process = stage.process(who, life, null);
      stage.note(`${process.name} ${words}`);
      const result = await stage.attempt(process, () => call(process));
      if (result === 'stopped') {
        answered(performance.now());
        stage.counts.stops += 1;
        stage.note(`${process.name}: 2xx`);
        return;
      }
      if (result === 'not_found') return;
      if (result === 'busy') stage.counts.busy += 1;
      await sleep(life.waitMs);
    }
  };
  await Promise.all([once(lives, name), ...repeatsMs.map((afterMs, at) => repeat(stage, afterMs, () => once([], `${name}r${at + 1}`)))]);
}
