import { and, asc, eq, isNotNull, isNull } from 'drizzle-orm';
import { type GuardFault, judgeWords } from '../../content/model/guard.ts';
import { parseAnswer } from '../../content/model/parse-answer.ts';
import { answerSchema, promptOf } from '../../content/model/prompt.ts';
import { checkedLanguages } from '../../content/model/vocabulary.ts';
import type { Tx } from '../../db/client.ts';
import { connections, enrollments, sequences } from '../../db/schema/index.ts';
import type { Channel } from '../../domain/channels/index.ts';
import { decideDispatch } from '../../domain/gates/decide-dispatch.ts';
import type { WrittenWords } from '../../domain/composition/words.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import type { TokenUse, WriteOutcome, Writer, WriteRequest } from '../../integrations/port.ts';
import type { Deps } from '../deps.ts';
import type { VersionCache } from '../dispatch/versions.ts';
import { readLedger } from '../read/enrollment.ts';
import { compositionKey, openApproval } from '../work/approval-task.ts';
import { beginCall, type Call, type CallRequest, noteFault, settleCall, storeNoText } from './ledger.ts';
import { type CompositionFacts, compositionFacts, readModelStep } from './reading.ts';

export interface ComposeInput {
  tenantId: string;
  enrollmentId: string;
  stepId: string;
  /** When the step is dispatched, epoch milliseconds: a text that comes later is of no use. */
  dueMs: number;
}

export type Composed = { kind: 'done'; note: string } | { kind: 'again'; inMs: number; why: string };

type ComposeDeps = Deps & { versions: VersionCache };

/** The answer's length, in tokens: several times what any brief allows. */
export const mostTokens = 1_500;
/** The first text, and one more that knows why the first was not used. */
export const mostDrafts = 2;

/**
 * Have a model write a step's text, and store it. No lock is held and no claim of a message exists while the model is asked; the dispatch finds what is
 * stored by then. May run any number of times, by any number of workers.
 * Source: docs/models.md; docs/rules.md#rule-42
 */
export async function composeStep(deps: ComposeDeps, input: ComposeInput, signal?: AbortSignal): Promise<Composed> {
  let faults: readonly GuardFault[] = [];
  for (let draft = 1; draft <= mostDrafts; draft++) {
    const found = await deps.db.withTenant(input.tenantId, (tx) => prepare(tx, deps, input));
    if (found.kind !== 'prepared') return found;
    const prompt: WriteRequest = {
      messages: promptOf(
        found.about.brief,
        found.about.brand,
        found.about.facts,
        faults.map(({ detail }) => detail),
      ),
      answer: answerSchema,
      mostTokens,
    };
    const begun = await deps.db.withTenant(input.tenantId, (tx) => begin(tx, deps, found, prompt));
    if (begun.kind !== 'call') return begun.kind === 'settled' ? { kind: 'done', note: begun.note } : begun;
    await deps.checkpoints('composition.begun');
    const timeoutMs = Math.min(found.writer.timeoutMs, input.dueMs - deps.clock.nowMs());
    const outcome = await found.writer.write(prompt, { timeoutMs, signal });
    await deps.checkpoints('composition.answered');
    const judged = await storeOutcome(deps, found, begun.call, outcome, draft === mostDrafts);
    if (judged.kind !== 'once_more') return judged;
    faults = judged.faults;
  }
  return { kind: 'done', note: 'no text kept the rules' };
}

interface Prepared {
  kind: 'prepared';
  input: ComposeInput;
  connectionId: string;
  writer: Writer;
  channel: Channel;
  about: CompositionFacts;
  settings: TenantSettings;
}

const done = (note: string): Composed => ({ kind: 'done', note });

/** Everything that is known before the model is asked, read without locks: the dispatch compares it with what it reads under them. */
async function prepare(tx: Tx, deps: ComposeDeps, input: ComposeInput): Promise<Prepared | Composed> {
  const { enrollmentId, stepId } = input;
  const nowMs = deps.clock.nowMs();
  if (nowMs >= input.dueMs) return done('too late: the template goes out');
  const [enrollment] = await tx.select().from(enrollments).where(eq(enrollments.id, enrollmentId));
  if (enrollment === undefined || enrollment.endedAt !== null) return done('the enrollment has ended');
  const ledger = await readLedger(tx, [enrollmentId]);
  if (ledger.some((row) => row.stepId === stepId && (row.state === 'sent' || row.state === 'skipped' || row.state === 'unknown')))
    return done('it is settled');
  const found = await readModelStep(tx, deps, { enrollment, stepId, ledger });
  if (found === null) return done('it is in another version now');
  const { version, step, reading } = found;
  if (step.model === undefined) return done('a template writes the variant of this person');
  // What the gates would say at the due time, as far as is known: a step that will not go out costs nothing.
  const verdict = decideDispatch(reading.facts, Math.max(nowMs, input.dueMs));
  if (verdict.kind === 'skip' || verdict.kind === 'stop' || verdict.kind === 'hold') return done(`it would not go out: ${verdict.reason}`);
  const channel = verdict.kind === 'send' ? verdict.channel : step.channels.find((one) => reading.addresses[one] !== undefined);
  const about = channel === undefined ? null : compositionFacts(version, stepId, reading, channel, Math.max(nowMs, input.dueMs));
  if (channel === undefined || about === null) return done('nobody can be reached');
  const asked = requestOf(input, channel, about, '');
  const no = async (reason: 'not_connected' | 'language' | 'wrong_key') => {
    await storeNoText(tx, asked, reason);
    return done(`no text: ${reason}`);
  };
  const connection = await findWriter(tx, deps);
  if (connection === null) return no('not_connected');
  if (connection.fault !== null) return no('wrong_key');
  if (!checkedLanguages.includes(about.facts.language)) return no('language');
  return { kind: 'prepared', input, connectionId: connection.id, writer: connection.writer, channel, about, settings: reading.settings };
}

/** The tenant's own model; the installation has none. */
export async function findWriter(
  tx: Tx,
  deps: Pick<Deps, 'integrations' | 'sealing'>,
): Promise<{ id: string; writer: Writer; fault: string | null } | null> {
  const rows = await tx
    .select()
    .from(connections)
    .where(and(eq(connections.state, 'connected'), isNull(connections.removedAt), isNotNull(connections.sealedConfig)))
    .orderBy(asc(connections.id));
  for (const row of rows) {
    const { writer } = deps.integrations[row.integration] ?? {};
    if (writer === undefined || row.sealedConfig === null) continue;
    return { id: row.id, writer: writer(JSON.parse(deps.sealing.open(row.sealedConfig))), fault: row.fault };
  }
  return null;
}

function requestOf(input: ComposeInput, channel: Channel, { facts, fingerprint }: CompositionFacts, model: string) {
  const { tenantId, enrollmentId, stepId, dueMs } = input;
  return { tenantId, enrollmentId, stepId, channel, language: facts.language, fingerprint, model, dueMs };
}

function begin(tx: Tx, deps: ComposeDeps, { input, channel, about, writer, settings }: Prepared, prompt: WriteRequest) {
  const request: CallRequest = {
    ...requestOf(input, channel, about, writer.model),
    mostMicros: mostCostOf(prompt, settings),
    settings,
    nowMs: deps.clock.nowMs(),
  };
  return beginCall(tx, request);
}

/** More than a question and its answer can cost: a token is a byte at least. */
export function mostCostOf({ messages, answer }: WriteRequest, settings: TenantSettings): number {
  const bytes = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content) + 16, Buffer.byteLength(JSON.stringify(answer)));
  return costOf({ input: bytes, output: mostTokens }, settings);
}

/** In millionths: a price for a million tokens is as many millionths for one. */
export const costOf = ({ input, output }: TokenUse, { modelPrices }: TenantSettings): number =>
  Math.ceil(input * modelPrices.input + output * modelPrices.output);

type Judged = Composed | { kind: 'once_more'; faults: readonly GuardFault[] };

async function storeOutcome(deps: ComposeDeps, found: Prepared, call: Call, outcome: WriteOutcome, isLast: boolean): Promise<Judged> {
  const { about, settings, connectionId, input } = found;
  const isCharged = outcome.kind === 'written' || outcome.charged;
  // Who does not say what it used is taken to have used all of it.
  const micros = outcome.use !== null ? costOf(outcome.use, settings) : isCharged ? call.reservedMicros : 0;
  const cost = { use: outcome.use, micros };
  const store = (settlement: Parameters<typeof settleCall>[2], fault?: string | null) =>
    deps.db.withTenant(input.tenantId, async (tx) => {
      const isStored = await settleCall(tx, call, settlement, cost);
      if (isStored && settlement.kind === 'ready' && settlement.approval) await askForApproval(tx, deps, found, call);
      if (fault !== undefined) await noteFault(tx, connectionId, fault);
    });
  if (outcome.kind === 'failed') {
    const { fault, retryAfterMs, detail } = outcome;
    deps.log.warn({ enrollmentId: input.enrollmentId, step: input.stepId, fault, detail }, 'a model gave no text');
    const leftMs = input.dueMs - deps.clock.nowMs();
    const waitMs = retryAfterMs ?? (fault === 'unavailable' && !outcome.charged ? 2_000 : null);
    if ((fault === 'rate_limited' || (fault === 'unavailable' && !outcome.charged)) && waitMs !== null && waitMs < leftMs) {
      await store({ kind: 'waiting', detail });
      return { kind: 'again', inMs: waitMs, why: `the model’s provider: ${fault}` };
    }
    await store({ kind: 'failed', reason: fault, guard: null, detail }, fault === 'wrong_key' ? detail : undefined);
    return done(`no text: ${fault}`);
  }
  const answer = parseAnswer(outcome.text);
  if (answer === null && isLast) {
    await store({ kind: 'failed', reason: 'invalid_answer', guard: null, detail: null }, null);
    return done('no text: invalid_answer');
  }
  const isText = found.channel === 'sms';
  const words: WrittenWords | null =
    answer === null
      ? null
      : { body: answer.body, subject: isText ? '' : answer.subject, cta: isText ? '' : answer.cta, language: about.facts.language };
  const faults: GuardFault[] =
    words === null ? [{ guard: 'shape', detail: 'the answer had none of the asked shapes' }] : judgeWords({ ...about, words });
  const [first] = faults;
  if (words !== null && first === undefined) {
    await store({ kind: 'ready', words, approval: settings.modelApproval }, null);
    return done('a text is there');
  }
  if (isLast && first !== undefined) {
    const detail = faults
      .map((fault) => fault.detail)
      .join('; ')
      .slice(0, 500);
    await store({ kind: 'failed', reason: 'guard', guard: first.guard, detail }, null);
    return done(`no text: guard ${first.guard}`);
  }
  await store({ kind: 'waiting', detail: first?.detail ?? null }, null);
  return { kind: 'once_more', faults };
}

/** The text is a task for a manager, due when its step is. */
async function askForApproval(tx: Tx, { clock }: Pick<ComposeDeps, 'clock'>, { input, channel }: Prepared, { compositionId }: Call): Promise<void> {
  const { tenantId, enrollmentId, stepId, dueMs } = input;
  const [row] = await tx
    .select({ subjectId: enrollments.subjectId, sequence: sequences.slug })
    .from(enrollments)
    .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
    .where(eq(enrollments.id, enrollmentId));
  if (row === undefined) return;
  const recommendation = `Read what a model wrote for the step ${stepId} of ${row.sequence}, and approve, change or reject it: npx rekindle compositions. Without a decision the template goes out.`;
  const about = { composition: compositionId, sequence: row.sequence, step: stepId, channel };
  const key = compositionKey(compositionId);
  await openApproval(tx, { tenantId, key, subjectId: row.subjectId, enrollmentId, recommendation, data: about, dueMs }, clock.nowMs());
}
