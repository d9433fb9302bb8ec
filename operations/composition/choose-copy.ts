import { and, eq } from 'drizzle-orm';
import { hasModelLayout } from '../../content/channels/index.ts';
import { judgeWords } from '../../content/model/guard.ts';
import type { Tx } from '../../db/client.ts';
import { compositions } from '../../db/schema/index.ts';
import type { Channel } from '../../domain/channels/index.ts';
import { type CopyChoice, type Guard, type TemplateReason, wordsForTemplate } from '../../domain/composition/outcome.ts';
import type { WrittenWords } from '../../domain/composition/words.ts';
import { decideDispatch } from '../../domain/gates/decide-dispatch.ts';
import type { GateCheck, Verdict } from '../../domain/gates/verdict.ts';
import { stepOfVariant } from '../../domain/sequence/step-of-variant.ts';
import type { Reading } from '../dispatch/facts.ts';
import type { Version } from '../dispatch/versions.ts';
import { type CompositionFacts, compositionFacts } from './reading.ts';

export type CompositionRow = typeof compositions.$inferSelect;

interface Asked {
  version: Version;
  stepId: string;
  reading: Reading;
  enrollmentId: string;
  nowMs: number;
}

/**
 * Choose between the stored text of a model and the template, under the person's locks. Reads one row and makes no call: whatever is not there by now
 * is the template's to say. Looked at where everything else is open: where a person's approval is all that the text lacks, the gates say whether the step
 * waits for it.
 * @param verdict - without the text; what is decided with it has a line `copy` that says who writes
 * @returns `copy`: what the model has written; null: the template goes out
 */
export async function decideWithCopy(tx: Tx, asked: Asked, verdict: Verdict): Promise<{ verdict: Verdict; copy: WrittenWords | null }> {
  const written = asked.version.definition.steps.find(({ id }) => id === asked.stepId);
  const step = written === undefined ? undefined : stepOfVariant(written, asked.reading.variant?.variant);
  // An offer is granted with the claim, after the model has written: only the template can state it.
  if (verdict.kind !== 'send' || step?.model === undefined || step.offer !== undefined) return { verdict, copy: null };
  const [row] = await tx
    .select()
    .from(compositions)
    .where(and(eq(compositions.enrollmentId, asked.enrollmentId), eq(compositions.stepId, asked.stepId)));
  const choice = choose(asked, step.content, verdict.channel, row ?? null);
  const waits = choice.by === 'template' && choice.reason === 'awaiting_approval';
  if (waits) asked.reading.facts.modelText = { approval: 'pending' };
  const decided = waits ? decideDispatch(asked.reading.facts, asked.nowMs) : verdict;
  if (decided.kind !== 'send') return { verdict: decided, copy: null };
  const copy = choice.by === 'model' && row !== undefined ? wordsOf(row) : null;
  return { verdict: { ...decided, checks: [...decided.checks, checkOf(choice, row ?? null)] }, copy };
}

function choose({ version, stepId, reading, nowMs }: Asked, content: string | null, channel: Channel, row: CompositionRow | null): CopyChoice {
  const about = compositionFacts(version, stepId, reading, channel, nowMs);
  const choice = choiceOf(row, about, channel, reading.settings.modelApproval);
  const hasLayout = about !== null && hasModelLayout(version.content, content ?? '', channel, about.facts.language);
  return choice.by === 'template' || hasLayout ? choice : template('no_layout');
}

const template = (reason: TemplateReason, guard: Guard | null = null): CopyChoice => ({ by: 'template', reason, guard });

/** Pure. @param approval - whether the store wants each text approved, by its settings now */
function choiceOf(row: CompositionRow | null, about: CompositionFacts | null, channel: Channel, approval: boolean): CopyChoice {
  if (row === null || about === null) return template('not_composed');
  if (row.state === 'calling') return template('composing');
  if (row.state === 'waiting') return template('rate_limited');
  if (row.state === 'failed') return template(row.reason ?? 'unavailable', row.guard);
  if (row.approval === 'rejected') return template('rejected');
  if (row.channel !== channel) return template('other_channel');
  if (row.fingerprint !== about.fingerprint) return template('stale');
  // The store's rules may have changed since it was written.
  const [fault] = judgeWords({ ...about, words: wordsOf(row) });
  if (fault !== undefined) return template('guard', fault.guard);
  return (approval || row.approval === 'pending') && row.approval !== 'approved' ? template('awaiting_approval') : { by: 'model' };
}

export function wordsOf({ subject, body, cta, language }: CompositionRow): WrittenWords {
  return { subject: subject ?? '', body: body ?? '', cta: cta ?? '', language };
}

function checkOf(copy: CopyChoice, row: CompositionRow | null): GateCheck {
  const input = { by: copy.by, composition: row?.id ?? null, model: row?.model ?? null };
  const who = row?.decidedBy ?? null;
  const decided = who === null || row === null ? {} : { approval: row.approval, decidedBy: who, edited: row.unedited !== null };
  if (copy.by === 'model') {
    const isApproved = row?.approval === 'approved' && who !== null;
    const note = isApproved
      ? `A model’s text goes out: it is fresh, keeps every rule, and was ${row.unedited === null ? '' : 'edited and '}approved by ${who}.`
      : 'A model’s text goes out: it is fresh, and keeps every rule.';
    return { gate: 'copy', result: 'pass', input: { ...input, ...decided }, note };
  }
  const by = copy.reason === 'rejected' && who !== null ? ` (${who})` : '';
  const note = `The template goes out: ${wordsForTemplate(copy.reason, copy.guard)}${by}.`;
  return { gate: 'copy', result: 'pass', input: { ...input, ...decided, reason: copy.reason, guard: copy.guard }, note };
}
