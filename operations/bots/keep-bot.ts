import { faultOf } from '../../db/client.ts';
import { type Bot, BotError } from '../../integrations/port.ts';
import { noteFault } from '../composition/ledger.ts';
import type { Deps } from '../deps.ts';
import { webhookUrlOf } from '../webhook-url.ts';
import { isReachableFromOutside } from './choose-delivery.ts';
import { type BotRef, type BotState, changeBot, LostBotError, noteBotFailure, readBot, releaseBot, renewBot } from './lease.ts';
import { storeUpdates } from './store-updates.ts';

/** Times in milliseconds. */
export interface BotTimes {
  /** How long a bot is kept without being renewed. */
  leaseMs: number;
  /** How often it is; a changed or removed token counts from then on. */
  renewEveryMs: number;
  /** How long its provider holds a request for updates. */
  pollMs: number;
}

const longestPauseMs = 300_000;
const mostAtOnce = 100;

interface Keeper {
  ref: BotRef;
  holder: string;
  times: BotTimes;
  /** Aborted when the process ends. */
  ending: AbortSignal;
  /** It was down until now: what lies there already is not answered. */
  wasDown: boolean;
}

/** How its turns go. */
interface Course {
  /** More may lie there from before the start. */
  isBacklog: boolean;
  /** How often its provider has given no answer, in a row. */
  failures: number;
}

/**
 * Keep one bot until the process ends, its connection wants it no more, or another process has it: start it, have its updates, and stop it. Its token
 * may be replaced meanwhile: then it is stopped with the old one and started with the new one.
 * @param wasDown - see `takeBot`
 */
export async function keepBot(deps: Deps, keeper: Keeper): Promise<void> {
  const { ref, holder, ending } = keeper;
  const turns = new Turns(deps, keeper);
  let served: BotState | null = null;
  try {
    const course: Course = { isBacklog: keeper.wasDown, failures: 0 };
    for (;;) {
      const state = await deps.db.withTenant(ref.tenantId, (tx) => readBot(tx, ref));
      if (state === null || ending.aborted) break;
      if (state.bot.running && !isServedAsWanted(deps, state)) {
        await stop(deps, keeper, state);
        served = null;
        continue;
      }
      if (state.wanted === null) break;
      if (!state.bot.running) {
        await start(deps, keeper, state, state.wanted);
        continue;
      }
      if (served === null) logStarted(deps, ref, state);
      served = state;
      await turns.take(state, (signal) => haveUpdates(deps, keeper, state, course, signal));
    }
    await releaseBot(deps, ref, holder);
  } catch (error) {
    if (!(error instanceof LostBotError)) await giveUp(deps, keeper, error);
  } finally {
    turns.end();
    if (served !== null) logStopped(deps, ref, served);
  }
}

/** Renews the lease beside the keeper's work, and interrupts it when its connection wants something else. */
class Turns {
  readonly #deps: Deps;
  readonly #keeper: Keeper;
  readonly #timer: NodeJS.Timeout;
  #working: { state: BotState; changed: AbortController } | null = null;
  #lost = false;

  constructor(deps: Deps, keeper: Keeper) {
    this.#deps = deps;
    this.#keeper = keeper;
    this.#timer = setInterval(() => void this.#renew(), keeper.times.renewEveryMs);
  }

  /** @throws LostBotError once another process keeps the bot */
  async take<T>(state: BotState, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#lost) throw new LostBotError('another process keeps the bot by now');
    const changed = new AbortController();
    this.#working = { state, changed };
    try {
      return await work(AbortSignal.any([changed.signal, this.#keeper.ending]));
    } finally {
      this.#working = null;
    }
  }

  end(): void {
    clearInterval(this.#timer);
  }

  async #renew(): Promise<void> {
    const { ref, holder, times } = this.#keeper;
    try {
      const now = await renewBot(this.#deps, ref, holder, times.leaseMs);
      this.#lost ||= now === null;
      if (now === null || !isServedAsWanted(this.#deps, now)) this.#working?.changed.abort();
    } catch (error) {
      // What the keeper stores is fenced by the lease, so that it loses nothing where Postgres is away for long.
      this.#deps.log.warn({ ...ref, err: error }, 'the lease of a bot could not be renewed, and is tried again');
    }
  }
}

const isServedAsWanted = (deps: Deps, state: BotState): boolean => {
  const { bot, wanted, integration } = state;
  if (wanted === null || bot.sealedConfig !== wanted) return false;
  const delivery = deliveryOf(deps, botOf(deps, integration, wanted));
  return bot.delivery === delivery && (delivery === 'polling' || bot.webhookUrl === webhookUrlOf(deps, integration, bot.connectionId));
};

const deliveryOf = ({ publicUrl }: Pick<Deps, 'publicUrl'>, bot: Bot) => bot.updates ?? (isReachableFromOutside(publicUrl) ? 'webhook' : 'polling');

/** @throws when the configuration cannot be unsealed or used */
function botOf({ integrations, sealing }: Pick<Deps, 'integrations' | 'sealing'>, integration: string, sealed: string): Bot {
  const made = integrations[integration]?.bot?.(JSON.parse(sealing.open(sealed)));
  if (made === undefined) throw new Error(`${integration} has no bot in this build`);
  return made;
}

async function start(deps: Deps, { ref, holder }: Keeper, { bot: row, integration }: BotState, wanted: string): Promise<void> {
  const bot = botOf(deps, integration, wanted);
  const delivery = deliveryOf(deps, bot);
  const webhookUrl = delivery === 'webhook' ? webhookUrlOf(deps, integration, ref.connectionId) : null;
  // Both may be repeated: a process that dies before it has stored the start leaves it to another.
  if (webhookUrl === null) await bot.unlisten();
  else await bot.listen(webhookUrl);
  await deps.db.withTenant(ref.tenantId, async (tx) => {
    // The numbers of updates are a bot's own.
    const others = row.account === bot.account ? {} : { nextUpdate: null };
    await changeBot(tx, ref, holder, { running: true, delivery, webhookUrl, sealedConfig: wanted, account: bot.account, failures: 0, ...others });
    await noteFault(tx, ref.connectionId, null);
  });
}

/** Updates pile up at its provider from now on, and none is dropped. */
async function stop(deps: Deps, { ref, holder }: Keeper, { bot: row, integration, wanted }: BotState): Promise<void> {
  const old = row.sealedConfig === null ? null : botOf(deps, integration, row.sealedConfig);
  const next = wanted === null ? null : botOf(deps, integration, wanted);
  // The same bot registers its new address when it starts.
  if (old !== null && old.account !== next?.account && row.delivery === 'webhook') {
    await old.unlisten().catch((error: unknown) => {
      // A token that is revoked ends its deliveries too.
      if (!(error instanceof BotError) || error.code !== 'locked_out') throw error;
    });
  }
  await deps.db.withTenant(ref.tenantId, (tx) => changeBot(tx, ref, holder, { running: false, failures: 0 }));
}

/** One turn: what is there to be fetched, or nothing for as long as its provider delivers. */
async function haveUpdates(
  deps: Deps,
  { ref, holder, times }: Keeper,
  { bot: row, integration, wanted }: BotState,
  course: Course,
  signal: AbortSignal,
): Promise<void> {
  if (row.delivery === 'webhook' || wanted === null) return aborted(signal);
  const receiver = deps.integrations[integration]?.receiver;
  if (receiver === undefined) throw new Error(`${integration} reads no updates in this build`);
  const { isBacklog } = course;
  try {
    // What lies there already comes at once; waiting would bring what is said from now on along with it.
    const updates = await botOf(deps, integration, wanted).fetch(row.nextUpdate, { waitMs: isBacklog ? 0 : times.pollMs, signal });
    const chat = { answersFromMs: row.answersFrom ?? 0, isBacklog };
    if (updates.length > 0) await storeUpdates(deps, { ...ref, integration, holder, receiver }, updates, chat);
    // All of it is confirmed. After a week without updates their numbers begin anew, perhaps below this one.
    else if (row.nextUpdate !== null) await deps.db.withTenant(ref.tenantId, (tx) => changeBot(tx, ref, holder, { nextUpdate: null }));
    course.isBacklog = isBacklog && updates.length === mostAtOnce;
    course.failures = 0;
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof BotError) || isForItsOwner(error)) throw error;
    // Kept all the same: while its provider is away, nothing is said to the bot.
    if (course.failures === 0) deps.log.warn({ ...ref, err: error }, 'the updates of a bot cannot be fetched now');
    const pauseMs = Math.max(pauseAfter(course.failures), error.retryAfterMs ?? 0);
    course.failures++;
    await aborted(AbortSignal.any([signal, AbortSignal.timeout(pauseMs)]));
  }
}

const pauseAfter = (failures: number) => Math.min(longestPauseMs, 1_000 * 2 ** Math.min(failures, 20));

/** Whether somebody has to mend it: what is tried again meanwhile is the start. */
const isForItsOwner = ({ code }: BotError) => code === 'locked_out' || code === 'conflict' || code === 'refused';

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Leave it alone for a while, longer with each failure, and say at the connection what its owner can mend. */
async function giveUp(deps: Deps, { ref, holder }: Keeper, error: unknown): Promise<void> {
  const fault = error instanceof BotError && isForItsOwner(error) ? sentenceOf(error) : null;
  deps.log.error({ ...ref, err: error }, 'a bot could not be kept, and is tried again');
  try {
    await deps.db.withTenant(ref.tenantId, async (tx) => {
      const state = await readBot(tx, ref);
      const asked = error instanceof BotError ? (error.retryAfterMs ?? 0) : 0;
      const pauseMs = Math.max(pauseAfter(state?.bot.failures ?? 0), asked);
      await noteBotFailure(tx, ref, holder, { pauseMs, startsAnew: fault !== null });
      if (fault !== null) await noteFault(tx, ref.connectionId, fault);
    });
  } catch (cause) {
    deps.log.warn({ ...ref, reason: faultOf(cause) }, 'the failure of a bot could not be stored: its lease runs out');
  }
}

function sentenceOf({ code, message }: BotError): string {
  if (code === 'locked_out') return `${message}. The token is refused: enter the one that BotFather shows now.`;
  if (code === 'conflict') return `${message}. Another program uses this bot: end it, or give this store a bot of its own.`;
  return message;
}

function logStarted(deps: Deps, { tenantId, connectionId }: BotRef, { bot }: BotState): void {
  deps.log.info({ tenantId, connectionId, bot: bot.account, updates: bot.delivery }, 'bot started');
  deps.log.info({ tenantId, connectionId }, 'ghost handling started');
}

function logStopped(deps: Deps, { tenantId, connectionId }: BotRef, { bot }: BotState): void {
  deps.log.info({ tenantId, connectionId }, 'ghost handling stopped');
  deps.log.info({ tenantId, connectionId, bot: bot.account }, 'bot stopped');
}
