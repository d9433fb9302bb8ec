import { and, asc, eq, inArray, lte, sql } from 'drizzle-orm';
import { keywordAnswer, keywordPayload } from '../content/keywords/answers.ts';
import { contactIdentities, contacts, keywordAnswers } from '../db/schema/index.ts';
import { answerWithinMs, nextAnswer } from '../domain/people/keyword-answers.ts';
import { settingsOf } from '../domain/tenant-settings.ts';
import type { SenderSession, SendOutcome } from '../integrations/port.ts';
import type { Deps } from './deps.ts';
import { startDeadline } from './dispatch/fence.ts';
import { readTenant } from './intake/tenant.ts';
import { outletsOf } from './outlets.ts';

/*
 * waiting ── claim ──▶ claimed ── settle ──▶ sent | unknown | refused | waiting (certainly not taken)
 *    ├── five minutes are over ──▶ too_late     └── the process that sent it has ended ──▶ unknown
 *    └── its connection sends nothing ──▶ not_connected
 *
 * The claim is committed before the first byte leaves, so nobody is answered twice. Source: docs/adr/0101-keywords-are-answered-once.md
 */

/** Longer than any call: the process behind an older claim has ended. */
const claimS = 120;

type Row = typeof keywordAnswers.$inferSelect;

/** Of one store in one pass: where a provider answers slowly, the next pass has to begin long before the five minutes of others are over. */
const mostAtOnce = 5;

/** Answer what waits, all stores beside each other. @returns whether there may be more to do at once */
export async function keywordAnswersPass(deps: Deps): Promise<boolean> {
  const stores = await deps.db.tenantsWithWork('keyword_answers');
  const answered = await Promise.all(stores.map((tenantId) => answerSome(deps, tenantId)));
  return answered.includes(mostAtOnce);
}

/** @returns how many were looked at */
async function answerSome(deps: Deps, tenantId: string): Promise<number> {
  let looked = 0;
  try {
    while (looked < mostAtOnce && (await answerNext(deps, tenantId))) looked++;
  } catch (error) {
    // One store's failure does not delay the others' answers.
    deps.log.error({ tenantId, err: error }, 'keywords could not be answered, and are tried again');
  }
  return looked;
}

/** @returns false: none is due */
async function answerNext(deps: Deps, tenantId: string): Promise<boolean> {
  const row = await readNext(deps, tenantId);
  if (row === null) return false;
  if (row.state === 'claimed') return settle(deps, row, { state: 'unknown' });
  const leftMs = row.askedAt + answerWithinMs - deps.clock.nowMs();
  if (row.address === null || leftMs <= 0) return settle(deps, row, { state: 'too_late' });
  const outlet = (await outletsOf(deps, tenantId)).ofConnection(row.connectionId, row.channel);
  if (outlet === null) return settle(deps, row, { state: 'not_connected' });
  const payload = await payloadFor(deps, row, row.address);
  const deadline = startDeadline(deps.clock, Math.min(outlet.sender.times.deadlineMs, leftMs));
  let session: SenderSession;
  try {
    session = await outlet.sender.open();
  } catch {
    // Thrown while opening: certainly nothing was sent.
    return settle(deps, row, nextAnswer('not_opened', row.attempts + 1, row.askedAt, deps.clock.nowMs()));
  }
  try {
    if (!(await claim(deps, row))) return true;
    await deps.checkpoints('keyword_answer.claimed');
    const outcome = await session.send(payload, `keyword-${row.id}`, deadline).catch(
      (error: unknown): SendOutcome => ({
        kind: 'unknown',
        response: error instanceof Error ? error.message : String(error),
      }),
    );
    const came = outcome.kind === 'refused' ? outcome.severity : outcome.kind;
    return await settle(deps, { ...row, state: 'claimed' }, nextAnswer(came, row.attempts + 1, row.askedAt, deps.clock.nowMs()));
  } finally {
    session.close();
  }
}

function readNext({ db }: Pick<Deps, 'db'>, tenantId: string): Promise<Row | null> {
  return db.withTenant(tenantId, async (tx) => {
    const [row] = await tx
      .select()
      .from(keywordAnswers)
      .where(and(inArray(keywordAnswers.state, ['waiting', 'claimed']), lte(keywordAnswers.nextAt, sql`clock_timestamp()`)))
      .orderBy(asc(keywordAnswers.askedAt), asc(keywordAnswers.id))
      .limit(1);
    return row ?? null;
  });
}

/** In the person's language, else the store's. */
function payloadFor({ db }: Pick<Deps, 'db'>, { tenantId, channel, keyword, locale }: Row, address: string) {
  return db.withTenant(tenantId, async (tx) => {
    const settings = settingsOf(await readTenant(tx, tenantId));
    const [known] = await tx
      .select({ locale: contacts.locale })
      .from(contactIdentities)
      .innerJoin(contacts, eq(contacts.id, contactIdentities.contactId))
      .where(and(eq(contactIdentities.kind, 'phone'), eq(contactIdentities.value, address), sql`${contacts.locale} is not null`))
      .limit(1);
    return keywordPayload(channel, address, keywordAnswer(keyword, [locale, known?.locale ?? null, settings.locale], settings), settings);
  });
}

/** @returns false: another process has it */
async function claim({ db }: Pick<Deps, 'db'>, { tenantId, id, attempts }: Row): Promise<boolean> {
  const claimed = await db.withTenant(tenantId, (tx) =>
    tx
      .update(keywordAnswers)
      .set({
        state: 'claimed',
        attempts: attempts + 1,
        claimedAt: sql`clock_timestamp()`,
        nextAt: sql`clock_timestamp() + make_interval(secs => ${claimS})`,
      })
      .where(and(eq(keywordAnswers.id, id), eq(keywordAnswers.state, 'waiting'), eq(keywordAnswers.attempts, attempts)))
      .returning({ id: keywordAnswers.id }),
  );
  return claimed.length > 0;
}

/** @param row - as it was found: what another process has changed meanwhile stays. @returns true: look for the next */
async function settle(deps: Deps, { tenantId, id, state, keyword, channel }: Row, next: { state: Row['state']; atMs?: number }): Promise<true> {
  const nowMs = deps.clock.nowMs();
  const columns =
    next.state === 'waiting'
      ? { state: next.state, nextAt: next.atMs ?? nowMs }
      : { state: next.state, address: null, locale: null, settledAt: nowMs };
  await deps.db.withTenant(tenantId, (tx) =>
    tx
      .update(keywordAnswers)
      .set(columns)
      .where(and(eq(keywordAnswers.id, id), eq(keywordAnswers.state, state))),
  );
  if (next.state === 'sent') deps.log.info({ tenantId, channel, keyword }, 'a keyword was answered');
  else if (next.state !== 'waiting') deps.log.warn({ tenantId, channel, keyword, state: next.state }, 'a keyword was not answered');
  return true;
}
