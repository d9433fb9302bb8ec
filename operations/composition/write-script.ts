import { eq } from 'drizzle-orm';
import { languageOfText } from '../../content/channels/index.ts';
import { type Brief, writtenBrief } from '../../content/model/brief.ts';
import type { ModelFacts } from '../../content/model/facts.ts';
import { judgeWords } from '../../content/model/guard.ts';
import { type Answer, parseAnswer } from '../../content/model/parse-answer.ts';
import { answerSchema, type BrandRules, promptOf } from '../../content/model/prompt.ts';
import { checkedLanguages } from '../../content/model/vocabulary.ts';
import { partsOfText } from '../../content/parts-of-text.ts';
import { tenants } from '../../db/schema/index.ts';
import type { Channel } from '../../domain/channels/index.ts';
import type { TemplateReason } from '../../domain/composition/outcome.ts';
import { settingsOf, type TenantSettings } from '../../domain/tenant-settings.ts';
import type { WriteOutcome, Writer, WriteRequest } from '../../integrations/port.ts';
import type { Deps } from '../deps.ts';
import { costOf, findWriter, mostCostOf, mostDrafts, mostTokens } from './compose-step.ts';
import { noteFault, reserve, settleReserved } from './ledger.ts';

/** No model wrote a script. */
export interface NotWritten {
  kind: 'not_written';
  /** `no_model`: models write no texts of this channel. */
  reason: TemplateReason | 'no_model';
  /** Why its last text was not used, where it wrote one. */
  refused: string[];
}

export type ScriptWritten = { kind: 'written'; model: string; text: string } | NotWritten;

interface ScriptWish {
  tenantId: string;
  channel: Channel;
  /** What has to be in it. */
  phrase: string;
  /** The text that it is to take the place of, compiled. */
  compiled: unknown;
  /** The same as it was written; null: it is not known. */
  now: string | null;
}

type ScriptDeps = Pick<Deps, 'db' | 'clock' | 'sealing' | 'integrations' | 'log'>;

/**
 * Have a model write a script: a text for everybody, under the guardrails of every text of a model and from the same day's budget. It knows no person and no
 * product, so whatever number, price or name it states is refused. Nothing is stored: it is a draft for whoever asked.
 * Source: docs/models.md, "Guardrails"; docs/rules.md#rule-141
 */
export async function writeScript(deps: ScriptDeps, { tenantId, channel, phrase, compiled, now }: ScriptWish): Promise<ScriptWritten> {
  const no = (reason: NotWritten['reason'], refused: string[] = []): NotWritten => ({ kind: 'not_written', reason, refused });
  if (channel !== 'email' && channel !== 'sms') return no('no_model');
  const { connection, settings } = await deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
    if (tenant === undefined) throw new Error('a store vanished');
    return { connection: await findWriter(tx, deps), settings: settingsOf(tenant) };
  });
  const language = languageOfText(compiled).split(/[-_]/, 1)[0] ?? 'en';
  if (connection === null) return no('not_connected');
  if (connection.fault !== null) return no('wrong_key');
  if (!checkedLanguages.includes(language)) return no('language');
  const about = {
    brief: briefFor(phrase, partsOfText(compiled)),
    brand: { voice: settings.brandVoice, banned: settings.modelBannedWords, required: settings.modelRequiredWords } satisfies BrandRules,
    facts: factsOf(channel, language, settings),
    secrets: [],
  };
  let refused: string[] = [];
  for (let draft = 1; draft <= mostDrafts; draft++) {
    const messages = promptOf(about.brief, about.brand, about.facts, refused);
    const outcome = await askOnce(deps, { tenantId, connection, settings }, { messages, answer: answerSchema, mostTokens });
    if (outcome === null) return no('over_budget', refused);
    if (outcome.kind === 'failed') {
      deps.log.warn({ fault: outcome.fault, detail: outcome.detail }, 'a model wrote no script');
      return no(outcome.fault, refused);
    }
    const answer = parseAnswer(outcome.text);
    if (answer === null) {
      refused = ['the answer had none of the asked shapes'];
      continue;
    }
    const words = channel === 'sms' ? { ...answer, subject: '', cta: '', language } : { ...answer, language };
    refused = judgeWords({ ...about, words }).map(({ detail }) => detail);
    if (refused.length === 0) return { kind: 'written', model: connection.writer.model, text: sourceOf(channel, answer, language, now) };
  }
  return no('guard', refused);
}

/** @returns null: it may cost more than is left for the day */
async function askOnce(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  { tenantId, connection, settings }: { tenantId: string; connection: { id: string; writer: Writer }; settings: TenantSettings },
  request: WriteRequest,
): Promise<WriteOutcome | null> {
  const day = new Date(clock.nowMs()).toISOString().slice(0, 10);
  const reservedMicros = mostCostOf(request, settings);
  const limitMicros = Math.floor(settings.modelDailyBudget * 1e6);
  if (!(await db.withTenant(tenantId, (tx) => reserve(tx, { tenantId, day, micros: reservedMicros, limitMicros })))) return null;
  const { writer } = connection;
  const outcome = await writer.write(request, { timeoutMs: writer.timeoutMs });
  const isCharged = outcome.kind === 'written' || outcome.charged;
  const micros = outcome.use !== null ? costOf(outcome.use, settings) : isCharged ? reservedMicros : 0;
  const fault = outcome.kind === 'written' ? null : outcome.fault === 'wrong_key' ? outcome.detail : undefined;
  await db.withTenant(tenantId, async (tx) => {
    await settleReserved(tx, { day, reservedMicros }, micros);
    if (fault !== undefined) await noteFault(tx, connection.id, fault);
  });
  return outcome;
}

/** As much of the present text as a goal has room for. */
const mostOfText = 600;

function briefFor(phrase: string, parts: readonly string[]): Brief {
  const present = parts.join(' ').replace(/\s+/g, ' ').trim().slice(0, mostOfText);
  return writtenBrief({
    goal: `Write a message that goes out to many people, in place of this one and with the same aim: ${present} — Name no product, no person, no price and no number.`,
    required: [phrase],
  });
}

const factsOf = (channel: Channel, language: string, { storeName }: TenantSettings): ModelFacts => ({
  ...{ channel, language, segment: 'everybody', orders: null, firstName: null, storeName: storeName ?? '', subject: {}, claims: {} },
});

/** A block of what the message is about, on a line of its own. */
const block = /^\[[a-z][a-z_]*\]$/gm;

/** The words as a file of texts has them. Blocks stay, as the link and the hint how to opt out do. */
function sourceOf(channel: 'email' | 'sms', { subject, body, cta }: Answer, language: string, now: string | null): string {
  if (channel === 'sms') return `---\nlanguage: ${language}\n---\n${body.replace(/\s+/g, ' ')} {{ link.url }} {{ optOut }}\n`;
  const [first = body, ...rest] = body.split(/\n{2,}/);
  const front = { language, subject, preheader: first.replace(/\s+/g, ' ').slice(0, 120), heading: subject, cta };
  const head = Object.entries(front).map(([name, line]) => `${name}: ${JSON.stringify(line)}`);
  const blocks = now?.match(block) ?? [];
  return `---\n${head.join('\n')}\n---\n${[first, ...blocks, ...rest].join('\n\n')}\n`;
}
