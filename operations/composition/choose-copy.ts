import { and, eq } from 'drizzle-orm';
import { hasModelLayout } from '../../content/channels/index.ts';
import { judgeWords } from '../../content/model/guard.ts';
import type { Tx } from '../../db/client.ts';
import { compositions } from '../../db/schema/index.ts';
import type { Channel } from '../../domain/channels/index.ts';
import { type CopyChoice, type Guard, type TemplateReason, wordsForTemplate } from '../../domain/composition/outcome.ts';
import type { WrittenWords } from '../../domain/composition/words.ts';
import type { GateCheck } from '../../domain/gates/verdict.ts';
import type { Reading } from '../dispatch/facts.ts';
import type { Version } from '../dispatch/versions.ts';
import { type CompositionFacts, compositionFacts } from './reading.ts';

export type CompositionRow = typeof compositions.$inferSelect;

/** Who writes a message, and the line of the decision that says so. */
export interface CopyFound {
  /** null: the template goes out. */
  words: WrittenWords | null;
  check: GateCheck;
}

interface Asked {
  version: Version;
  stepId: string;
  reading: Reading;
  channel: Channel;
  enrollmentId: string;
  nowMs: number;
}

/**
 * Choose between the stored text of a model and the template, under the person's locks. Reads one row and asks nobody: whatever is not there by now
 * is the template's to say.
 */
export async function chooseCopy(tx: Tx, asked: Asked): Promise<CopyFound> {
  const [row] = await tx
    .select()
    .from(compositions)
    .where(and(eq(compositions.enrollmentId, asked.enrollmentId), eq(compositions.stepId, asked.stepId)));
  const about = compositionFacts(asked.version, asked.stepId, asked.reading, asked.channel, asked.nowMs);
  const content = asked.version.definition.steps.find(({ id }) => id === asked.stepId)?.content ?? '';
  const choice = choiceOf(row ?? null, about, asked.channel, asked.reading.settings.modelApproval);
  const hasLayout = about !== null && hasModelLayout(asked.version.content, content, asked.channel, about.facts.language);
  const copy: CopyChoice = choice.by === 'model' && !hasLayout ? template('no_layout') : choice;
  const words = copy.by === 'model' && row !== undefined ? wordsOf(row) : null;
  return { words, check: checkOf(copy, row ?? null) };
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
  if ((approval || row.approval === 'pending') && row.approval !== 'approved') return template('awaiting_approval');
  // The store's rules may have changed since it was written.
  const [fault] = judgeWords({ ...about, words: wordsOf(row) });
  return fault === undefined ? { by: 'model' } : template('guard', fault.guard);
}

function wordsOf({ subject, body, cta, language }: CompositionRow): WrittenWords {
  return { subject: subject ?? '', body: body ?? '', cta: cta ?? '', language };
}

function checkOf(copy: CopyChoice, row: CompositionRow | null): GateCheck {
  const input = { by: copy.by, composition: row?.id ?? null, model: row?.model ?? null };
  if (copy.by === 'model') return { gate: 'copy', result: 'pass', input, note: 'A model’s text goes out: it is fresh, and keeps every rule.' };
  const note = `The template goes out: ${wordsForTemplate(copy.reason, copy.guard)}.`;
  return { gate: 'copy', result: 'pass', input: { ...input, reason: copy.reason, guard: copy.guard }, note };
}
