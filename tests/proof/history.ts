import { randomUUID } from 'node:crypto';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { acceptDelivery, applyPending } from '../../operations/accept-delivery.ts';
import { resolveShortLink } from '../../operations/short-links.ts';
import { recordEngagement } from '../../operations/record-engagement.ts';
import { stopByHand, unsubscribe } from '../../operations/stop-one.ts';
import { signStandardWebhook } from '../../integrations/generic/sign.ts';
import { addressOf } from '../../domain/channels/index.ts';
import type { Payload } from '../../integrations/port.ts';
import { type Counts, noCounts } from './counts.ts';
import { type Behaviour, type Call, settleAfterMs, times } from './far-end.ts';
import { type MortalProcess, startProcess } from './mortal-process.ts';
import { type EndState, judge, type MergeRecord, type MoveRecord, type StopRecord, type Witnessed } from './observer.ts';
import type { ActionPlan, HistoryPlan, Point, ProcessPlan, When } from './schedule.ts';
import { Signals } from './signals.ts';
import { type Providers, stepId, type World } from './world.ts';
import { posted } from '../helpers/a-delivery.ts';

export interface HistoryResult {
  violations: string[];
  /** Errors that nothing done to the process explains. */
  surprises: string[];
  counts: Counts;
  trace: string[];
  /** The final state of each step. */
  ends: string[];
}

/** Numbers that could exist, none used by two histories. */
let nextNumber = 3_220_000;

/** Whether the provider of a call in doubt can be asked about it. */
const canBeAsked = (providers: Providers, channel: string | null) => (channel === 'sms' ? providers.sms : providers.email) === 'find';

const undisturbed: ProcessPlan = { faults: {}, waitMs: 20 };
const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
/** Run one history to its end, let everything calm down, and judge it. */
export async function runHistory(world: World, plan: HistoryPlan): Promise<HistoryResult> {
  const history = new History(world, plan);
  return history.run();
}

class History {
  readonly #world: World;
  readonly #plan: HistoryPlan;
  readonly #tenantId: string;
  readonly #id = randomUUID().slice(0, 13);
  readonly #startedMs = performance.now();
  readonly #counts = noCounts();
  readonly #trace: string[] = [];
  readonly #surprises: string[] = [];
  readonly #signals = new Signals();
  readonly #payloads = new Map<number, Payload>();
  readonly #clicks: Promise<void>[] = [];
  readonly #seen: Witnessed;
  readonly #awaitNextCall: ((cart: number) => void)[] = [];
  #calm = false;
  #lives = 0;

  constructor(world: World, plan: HistoryPlan) {
    this.#world = world;
    this.#plan = plan;
    this.#tenantId = world.tenantOf(plan.providers, plan.optOutAll).tenantId;
    this.#seen = {
      providers: plan.providers,
      texts: plan.texts,
      struck: new Set(),
      carts: [],
      linked: [],
      stops: [],
      merges: [],
      moves: [],
      calls: [],
      accepted: [],
      bereaved: new Set(),
      end: [],
      answered: [],
      inbox: new Map(),
    };
  }

  async run(): Promise<HistoryResult> {
    this.#note(
      `seed ${this.#plan.seed}: ${this.#plan.providers.email}${this.#plan.texts ? `, texts ${this.#plan.providers.sms}` : ''}, ${this.#plan.shape}${this.#plan.secondCart ? ' with a second cart' : ''}, opt-out of ${this.#plan.optOutAll ? 'all channels' : 'one channel'}`,
    );
    await this.#begin();
    await Promise.all([
      ...this.#plan.dispatches.map((d, at) => this.#activity(d, `d${at + 1}`)),
      ...this.#plan.actions.map((a, at) => this.#act(a, `s${at + 1}`)),
      ...this.#plan.timePassesMs.map((atMs) => sleep(atMs).then(() => this.#letTimePass())),
    ]);
    await Promise.all(this.#clicks);
    await this.#calmDown();
    const verdict = judge(this.#seen);
    this.#counts.stretched += verdict.stretched;
    for (const end of this.#seen.end)
      this.#note(`at the end: ${this.#cartOf(end.enrollmentId)} is ${end.row?.state ?? 'without a row'}${end.ended ? ', ended' : ''}`);
    for (const cart of this.#seen.carts) this.#world.farEnd.forget(cart.enrollmentId, cart.key);
    return {
      violations: verdict.violations,
      surprises: this.#surprises,
      counts: this.#counts,
      trace: this.#trace,
      ends: this.#seen.end.map((e) => e.row?.state ?? 'none'),
    };
  }

  // ── the world before anything happens

  #email = (person: number) => `p${person + 1}.${this.#id}@example.com`;
  // Two persons may become one by a customer's id that only the second has at first. A number that they share joins nobody.
  #customerId = () => `customer-${this.#id}`;
  readonly #numbers = [`+1202${nextNumber++}`, `+1202${nextNumber++}`] as const;
  /** The number of a person. Where a number is shared, the second has the first one's. */
  #phone = (person = 0) => this.#numbers[person === 0 || this.#plan.shape === 'shared_number' ? 0 : 1];
  #numberOf = (person: number) => (this.#plan.texts ? { phone: this.#phone(person) } : {});
  #token = (cart: number) => `cart-${cart + 1}-${this.#id}`;

  #cartEvent(cart: number, contact: Record<string, unknown>) {
    const items = [{ title: 'Walnut desk lamp', quantity: 1, price: '129.90' }];
    return { cart: { id: this.#token(cart), currency: 'EUR', total: '129.90', items }, contact };
  }

  async #begin(): Promise<void> {
    const { shape, secondCart } = this.#plan;
    const longAgoMs = Date.now() - 600;
    const more = shape === 'two_persons' ? { id: this.#customerId() } : {};
    const contactOf = (person: number) => ({ email: this.#email(person), ...this.#numberOf(person), ...(person === 1 ? more : {}) });
    await this.#deliverPlainly('cart.updated', this.#cartEvent(0, contactOf(0)), longAgoMs);
    const owners = [this.#email(0)];
    if (secondCart) {
      const owner = shape === 'two_carts' ? 0 : 1;
      owners.push(this.#email(owner));
      await this.#deliverPlainly('cart.updated', this.#cartEvent(1, contactOf(owner)), longAgoMs);
    } else if (shape !== 'one') {
      await this.#deliverPlainly('contact.updated', { contact: contactOf(1) }, longAgoMs);
    }
    if (shape === 'two_persons') this.#seen.linked.push([this.#email(1), this.#customerId()]);
    if (this.#plan.emailClosed) for (const person of [0, 1]) await this.#closeEmail(person);
    const { rows } = await this.#world.owner.query<{ id: string; value: string }>(
      'select e.id, k.value from enrollments e join subject_keys k on k.tenant_id = e.tenant_id and k.subject_id = e.subject_id where k.tenant_id = $1 and k.value = any($2)',
      [this.#tenantId, owners.map((_, cart) => this.#token(cart))],
    );
    for (const [cart, owner] of owners.entries()) {
      const enrollmentId = rows.find((r) => r.value === this.#token(cart))?.id;
      if (enrollmentId === undefined) throw new Error(`cart ${cart + 1} started no sequence`);
      this.#seen.carts.push({ enrollmentId, key: `${enrollmentId}:${stepId}`, owner });
      this.#listenTo(cart, enrollmentId);
    }
  }

  /** The person may be texted, and not be emailed. */
  async #closeEmail(person: number): Promise<void> {
    const email = this.#email(person);
    await this.#deliverPlainly('contact.opted_out', { contact: { email }, channel: 'email' }, Date.now() - 700);
    const sentMs = performance.now();
    this.#seen.stops.push({ kind: 'opt_out', by: { address: email }, closesOnly: 'email', number: null, sentMs, answeredMs: sentMs });
  }

  #listenTo(cart: number, enrollmentId: string): void {
    const behaviours = [...(this.#plan.behaviours[cart] ?? [])];
    const plain: Behaviour = { takeAfterMs: 0, answer: 200, answerAfterMs: 1, dropsAbandoned: false };
    this.#world.farEnd.listen(enrollmentId, {
      behaviour: () => (this.#calm ? plain : (behaviours.shift() ?? plain)),
      began: (call, payload) => {
        this.#seen.calls.push(call);
        this.#counts.calls += 1;
        this.#payloads.set(cart, payload);
        if (call.channel === 'sms') this.#counts.texts += 1;
        this.#note(`${call.process}: call of cart ${cart + 1} begins (${call.channel})`);
        this.#signals.give(`called ${cart}`);
        if (this.#seen.calls.filter((c) => c.key === call.key).length === 2) this.#signals.give(`called_again ${cart}`);
        for (const wake of this.#awaitNextCall.splice(0)) wake(cart);
      },
      accepted: (acceptance, payload) => {
        this.#seen.accepted.push(acceptance);
        this.#counts.accepted += 1;
        if (acceptance.call.endedMs !== null) this.#counts.late_acceptances += 1;
        this.#note(
          `far end (${acceptance.call.channel}) ACCEPTS cart ${cart + 1}${acceptance.call.endedMs === null ? '' : ' (its caller has gone)'}`,
        );
        this.#signals.give(`accepted ${cart}`);
        if (this.#plan.clicksAfterMs !== null) this.#clicks.push(this.#click(payload, this.#plan.clicksAfterMs));
      },
      ended: (call: Call) => {
        if (call.outcome === 'refused') this.#counts.refused += 1;
        if (call.outcome === 'unknown') this.#counts.unknown += 1;
        if (call.outcome === 'abandoned') this.#counts.abandoned += 1;
        this.#note(`${call.process}: call of cart ${cart + 1} ends: ${call.outcome ?? ''}`);
      },
    });
  }

  // ── dispatching, as Temporal does it: again and again until the step is settled

  async #activity({ cart, when, lives, comesBack = true }: HistoryPlan['dispatches'][number], name: string): Promise<void> {
    await this.#until(when, cart);
    const enrollmentId = this.#seen.carts[cart]?.enrollmentId ?? '';
    for (const life of [...lives, ...Array.from({ length: comesBack ? 12 : 0 }, () => undisturbed)]) {
      if (performance.now() - this.#startedMs > 3_500) return;
      const process = this.#process(name, life, cart);
      const result = await this.#attempt(process, () => dispatchStep(process.deps, { tenantId: this.#tenantId, enrollmentId, stepId }));
      if (result === 'died') this.#seen.bereaved.add(enrollmentId);
      else if (result !== null) {
        this.#note(
          `${process.name}: ${result.kind === 'again' ? `again in ${Math.round(result.inMs)} ms (${result.why})` : result.kind === 'done' ? result.note : result.kind}`,
        );
        if (result.kind === 'missing' || (result.kind === 'done' && (result.ended !== null || result.progress.settled[stepId] !== undefined))) return;
        // What would take longer than a history lasts is waited for by letting time pass.
        if (result.kind === 'done' || result.inMs > 2 * times.deadLeaseMs) await this.#letTimePass();
        else await sleep(Math.min(result.inMs, 40 + 4 * life.waitMs));
      }
      await sleep(life.waitMs);
    }
  }

  // ── what arrives from outside

  async #act(action: ActionPlan, name: string): Promise<void> {
    const { doing } = action;
    await this.#until(action.when, 'cart' in doing ? doing.cart : 0);
    switch (doing.kind) {
      case 'stop':
        return this.#stop(doing.stop, doing.cart, action, name);
      case 'merge': {
        const record: MergeRecord = { addresses: [this.#email(0), this.#customerId()], answeredMs: null };
        this.#seen.merges.push(record);
        this.#counts.merges += 1;
        return this.#deliver('contact.updated', { contact: { email: this.#email(0), id: this.#customerId() } }, Date.now(), action, name, (atMs) => {
          record.answeredMs ??= atMs;
        });
      }
      case 'move': {
        const record: MoveRecord = { cart: 0, to: this.#email(1), sentMs: performance.now(), answeredMs: null };
        this.#seen.moves.push(record);
        this.#counts.moves += 1;
        // A little newer than the cart's last event, and old enough that nobody is on the site.
        return this.#deliver('cart.updated', this.#cartEvent(0, { email: this.#email(1) }), Date.now() - 400, action, name, (atMs) => {
          record.answeredMs ??= atMs;
        });
      }
    }
  }

  async #stop(kind: StopRecord['kind'], cart: number, action: ActionPlan, name: string): Promise<void> {
    // The second person may have no cart: their stops name the address.
    const email = this.#seen.carts[cart]?.owner ?? this.#email(1);
    const byCart = kind === 'purchase_by_token' || kind === 'purchase_with_number' || kind === 'by_hand';
    const record: StopRecord = {
      kind,
      by: byCart ? { cart } : { address: email },
      closesOnly: this.#closesOnly(kind),
      number: kind === 'text_opt_out' ? this.#phone(this.#seen.carts[cart]?.owner === this.#email(1) ? 1 : 0) : null,
      sentMs: performance.now(),
      answeredMs: null,
    };
    const order = { id: `order-${name}-${this.#id}`, currency: 'EUR', total: '129.90' };
    const answered = (atMs: number) => void (record.answeredMs ??= atMs);
    const deliver = (type: string, data: Record<string, unknown>) => {
      this.#seen.stops.push(record);
      return this.#deliver(type, data, Date.now(), action, name, answered);
    };
    switch (kind) {
      case 'purchase_by_token':
        return deliver('order.placed', { order, cart_id: this.#token(cart) });
      case 'purchase_with_number':
        return deliver('order.placed', { order, cart_id: this.#token(cart), contact: { email, phone: this.#phone() } });
      case 'text_opt_out':
        return deliver('contact.opted_out', { contact: { phone: record.number }, channel: 'sms' });
      case 'purchase_by_address':
        return deliver('order.placed', { order, contact: { email } });
      case 'reply':
        return deliver('message.received', { contact: { email }, channel: 'email', text: 'Is it still there?' });
      case 'opt_out':
        return deliver('contact.opted_out', { contact: { email }, channel: 'email' });
      case 'unsubscribe': {
        const payload = this.#payloads.get(cart);
        const messageId = await this.#messageIdOf(payload);
        // A text message has no link to unsubscribe.
        if (payload?.channel !== 'email' || messageId === null) return;
        // Whoever was written to unsubscribes, whosever the cart is by now.
        record.by = { address: addressOf(payload)?.value ?? '' };
        this.#seen.stops.push(record);
        return this.#insist(action, name, 'unsubscribes', (process) => unsubscribe(process.deps, { tenantId: this.#tenantId, messageId }), answered);
      }
      case 'by_hand': {
        const enrollmentId = this.#seen.carts[cart]?.enrollmentId ?? '';
        const input = { tenantId: this.#tenantId, enrollmentId, note: 'enough', actor: 'proof' };
        this.#seen.stops.push(record);
        return this.#insist(
          action,
          name,
          'stops by hand',
          async (process) => {
            const { kind } = await stopByHand(process.deps, input);
            return kind === 'ended_before' ? 'stopped' : kind;
          },
          answered,
        );
      }
    }
  }

  /** A stop that is no delivery: asked again until it is answered. */
  async #insist(
    action: ActionPlan,
    name: string,
    words: string,
    stop: (process: MortalProcess) => Promise<'stopped' | 'not_found' | 'busy'>,
    answered: (atMs: number) => void,
  ): Promise<void> {
    const once = async (lives: ProcessPlan[], who: string) => {
      for (const life of [...lives, ...Array.from({ length: 12 }, () => undisturbed)]) {
        const process = this.#process(who, life, null);
        this.#note(`${process.name} ${words}`);
        const result = await this.#attempt(process, () => stop(process));
        if (result === 'stopped') {
          answered(performance.now());
          this.#counts.stops += 1;
          this.#note(`${process.name}: 2xx`);
          return;
        }
        if (result === 'not_found') return;
        if (result === 'busy') this.#counts.busy += 1;
        await sleep(life.waitMs);
      }
    };
    await Promise.all([
      once(action.lives, name),
      ...action.repeatsMs.map((afterMs, at) => this.#repeat(afterMs, () => once([], `${name}r${at + 1}`))),
    ]);
  }

  #repeat(afterMs: number, again: () => Promise<void>): Promise<void> {
    this.#counts.repeats += 1;
    return sleep(afterMs).then(again);
  }

  async #deliverPlainly(type: string, data: Record<string, unknown>, atMs: number): Promise<void> {
    await this.#deliver(type, data, atMs, { lives: [], repeatsMs: [] }, 'setup', () => undefined);
  }

  /** A shop delivers, and delivers again what was not answered 2xx; `repeatsMs`: also what was. */
  async #deliver(
    type: string,
    data: Record<string, unknown>,
    atMs: number,
    action: Pick<ActionPlan, 'lives' | 'repeatsMs'>,
    name: string,
    answered: (atMs: number) => void,
  ): Promise<void> {
    const id = `${name}-${this.#id}-${randomUUID()}`;
    const payload = JSON.stringify({ type, timestamp: new Date(atMs).toISOString(), data });
    const { path, secret } = this.#world.tenantOf(this.#plan.providers, this.#plan.optOutAll).webhooks.generic;
    const connectionId = path.slice(path.lastIndexOf('/') + 1);
    const isStop = type === 'order.placed' || type === 'message.received' || type === 'contact.opted_out';
    const once = async (lives: ProcessPlan[], who: string) => {
      for (const life of [...lives, ...Array.from({ length: 12 }, () => undisturbed)]) {
        const process = this.#process(who, life, null);
        const seconds = Math.floor(Date.now() / 1_000);
        const headers = {
          'webhook-id': id,
          'webhook-timestamp': String(seconds),
          'webhook-signature': signStandardWebhook(secret, id, seconds, payload),
        };
        const delivery = posted({ raw: Buffer.from(payload), headers, receivedAtMs: Date.now() });
        this.#note(`${process.name} delivers ${type}`);
        const result = await this.#attempt(process, () => acceptDelivery(process.deps, 'generic', connectionId, delivery));
        if (result !== null && result !== 'died') {
          this.#note(`${process.name}: ${result.kind === 'accepted' ? `2xx ${result.result}` : result.kind}`);
          if (result.kind === 'refused') throw new Error(`a delivery was refused: ${result.reason}`);
          if (result.kind === 'accepted') {
            if (result.result === 'pending') this.#counts.stored_as_pending += 1;
            else answered(performance.now());
            this.#seen.answered.push(id);
            if (isStop) this.#counts.stops += 1;
            return;
          }
          this.#counts.busy += 1;
        }
        await sleep(life.waitMs);
      }
    };
    await Promise.all([
      once(action.lives, name),
      ...action.repeatsMs.map((afterMs, at) => this.#repeat(afterMs, () => once([], `${name}r${at + 1}`))),
    ]);
  }

  async #click(payload: Payload, afterMs: number): Promise<void> {
    await sleep(afterMs);
    const messageId = await this.#messageIdOf(payload).catch((error: unknown) => {
      this.#surprise('click', error);
      return null;
    });
    if (messageId === null) return;
    this.#counts.clicks += 1;
    this.#note('a click on the message');
    await recordEngagement(this.#world.deps, { tenantId: this.#tenantId, messageId, type: 'clicked', machine: false }).catch((error: unknown) =>
      this.#surprise('click', error),
    );
  }

  async #messageIdOf(payload: Payload | undefined): Promise<string | null> {
    const url = payload?.channel === 'email' ? payload.unsubscribeUrl : (payload?.shortUrl ?? null);
    const token = url?.split('/').at(-1) ?? '';
    if (payload?.channel === 'email') return this.#world.deps.links.read(token, 'unsubscribe')?.messageId ?? null;
    return (await resolveShortLink(this.#world.deps, token))?.messageId ?? null;
  }

  /** What an opt-out closes without ending anything; null: it ends everything. */
  #closesOnly(kind: StopRecord['kind']): StopRecord['closesOnly'] {
    if (kind === 'text_opt_out') return this.#plan.shape === 'shared_number' ? 'number' : this.#plan.optOutAll ? null : 'number';
    return (kind === 'opt_out' || kind === 'unsubscribe') && !this.#plan.optOutAll ? 'email' : null;
  }

  // ── time

  /** Rows in doubt or put off become ten seconds older, unless something of theirs is under way. */
  async #letTimePass(): Promise<void> {
    const quiet = this.#seen.carts.filter((c) => this.#world.farEnd.isQuiet(c.key)).map((c) => c.enrollmentId);
    if (quiet.length === 0) return;
    const older = `update messages set claimed_at = claimed_at - interval '10.5 s', doubt_since = doubt_since - interval '10.5 s',
         find_from = find_from - interval '10.5 s', settled_at = settled_at - interval '600 s'
       where tenant_id = $1 and enrollment_id = $2 and state in ('unknown', 'failed') and not live`;
    for (const id of quiet) {
      // The product's own locks may stand in the way: then no time passes.
      await this.#world.owner.query(older, [this.#tenantId, id]).catch(() => undefined);
      await this.#world.owner
        .query(`update enrollments set not_before = '{}' where tenant_id = $1 and id = $2`, [this.#tenantId, id])
        .catch(() => undefined);
    }
    this.#note('time passes');
  }

  #nextCall(cart: number | null): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, 3_500);
      const wait = (called: number) => {
        if (called !== cart) {
          this.#awaitNextCall.push(wait);
          return;
        }
        clearTimeout(timer);
        done();
      };
      this.#awaitNextCall.push(wait);
    });
  }

  async #until(when: When, cart: number): Promise<void> {
    if (when.after !== 'start') await this.#signals.wait(`${when.after} ${cart}`, when.after === 'called_again' ? 3_000 : 500);
    await sleep(when.delayMs);
  }

  // ── the end

  async #calmDown(): Promise<void> {
    this.#calm = true;
    const { carts } = this.#seen;
    const deadlineMs = performance.now() + 15_000;
    const left = () => performance.now() < deadlineMs;
    while (!carts.every((c) => this.#world.farEnd.isQuiet(c.key)) && left()) await sleep(20);
    await applyPending(this.#world.deps);
    // No row may depend on a retry: the sweep alone ends every lease, and asks where it can.
    const patienceMs = performance.now() + times.deadLeaseMs + settleAfterMs + 1_500;
    for (;;) {
      await this.#readEnd();
      const waiting = this.#seen.end.some(
        (e) =>
          e.row !== null &&
          (e.row.live || e.row.state === 'claimed' || (e.row.state === 'unknown' && canBeAsked(this.#plan.providers, e.row.channel))),
      );
      if (!waiting || performance.now() > patienceMs) break;
      await sleep(100);
    }
    const stuck = this.#seen.end.some((e) => e.row?.live === true);
    if (!stuck) await Promise.all(carts.map((_, cart) => this.#finish(cart, left)));
    while (!carts.every((c) => this.#world.farEnd.isQuiet(c.key)) && left()) await sleep(20);
    await this.#readEnd();
    const { rows } = await this.#world.owner.query<{ dedupe_key: string; state: string }>(
      'select dedupe_key, state from inbox where tenant_id = $1 and dedupe_key = any($2)',
      [this.#tenantId, this.#seen.answered],
    );
    this.#seen.inbox = new Map(rows.map((r) => [r.dedupe_key, r.state]));
  }

  /** Dispatch a step until it is settled, time passing between the attempts. */
  async #finish(cart: number, left: () => boolean): Promise<void> {
    const enrollmentId = this.#seen.carts[cart]?.enrollmentId ?? '';
    for (let attempt = 0; attempt < 12 && left(); attempt++) {
      const process = this.#process('last', undisturbed, cart);
      const result = await this.#attempt(process, () => dispatchStep(process.deps, { tenantId: this.#tenantId, enrollmentId, stepId }));
      if (result !== null && result !== 'died') {
        this.#note(`${process.name}: ${result.kind === 'done' ? result.note : result.kind}`);
        if (result.kind === 'done' && (result.ended !== null || result.progress.settled[stepId] !== undefined)) return;
      }
      await this.#letTimePass();
      await sleep(10);
    }
  }

  async #readEnd(): Promise<void> {
    const { rows } = await this.#world.owner.query<{
      id: string;
      ended: boolean;
      reason: string | null;
      state: string | null;
      live: boolean | null;
      channel: string | null;
    }>(
      `select e.id, e.ended_at is not null as ended, e.stop_reason as reason, m.state, m.live, m.channel from enrollments e
       left join messages m on m.tenant_id = e.tenant_id and m.enrollment_id = e.id and m.step_id = $3 where e.tenant_id = $1 and e.id = any($2)`,
      [this.#tenantId, this.#seen.carts.map((c) => c.enrollmentId), stepId],
    );
    this.#seen.end = rows.map(
      (r): EndState => ({
        enrollmentId: r.id,
        ended: r.ended,
        stopReason: r.reason,
        row: r.state === null ? null : { state: r.state, live: r.live === true, channel: r.channel },
      }),
    );
  }

  // ── processes

  #process(who: string, life: ProcessPlan, cart: number | null): MortalProcess {
    const name = `${who}.${++this.#lives}`;
    return startProcess(this.#world, name + this.#id, life, {
      reached: (point) => {
        if (cart === null) return;
        if (point === 'dispatch.locked') this.#signals.give(`locked ${cart}`);
        if (point === 'dispatch.claimed') this.#signals.give(`claimed ${cart}`);
      },
      nextCall: () => this.#nextCall(cart),
      struck: (point: Point, fault) => {
        this.#seen.struck.add(name + this.#id);
        this.#note(
          `${name} at ${point}: ${fault.kind}${'ms' in fault ? ` ${fault.ms} ms` : fault.kind === 'lost_commit' ? ` (${fault.fate.kind})` : ''}`,
        );
        if ('ms' in fault) this.#counts.pauses += 1;
        if (fault.kind === 'crash') this.#counts.crashes += 1;
        if (fault.kind === 'cut') this.#counts.cuts += 1;
        if (fault.kind === 'lost_commit') this.#counts.lost_commits += 1;
      },
    });
  }

  /** @returns null when it failed: the caller tries again, as Temporal or a shop would */
  async #attempt<T>(process: MortalProcess, work: () => Promise<T>): Promise<T | 'died' | null> {
    try {
      return await Promise.race([work(), process.died]);
    } catch (error) {
      this.#note(`${process.name}: fails, ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
      if (!process.struck()) this.#surprise(process.name, error);
      return null;
    }
  }

  #surprise(who: string, error: unknown): void {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
    this.#surprises.push(`${who.split('.')[0]}: ${error instanceof Error ? `${error.message.split('\n')[0]}${cause}` : String(error)}`);
  }

  #cartOf(enrollmentId: string): string {
    return `cart ${this.#seen.carts.findIndex((c) => c.enrollmentId === enrollmentId) + 1}`;
  }

  #note(text: string): void {
    this.#trace.push(`${(performance.now() - this.#startedMs).toFixed(1).padStart(8)} ms  ${text.replaceAll(this.#id, '')}`);
  }
}
