import { and, eq } from 'drizzle-orm';
import { enrollments, subjectKeys } from '../db/schema/index.ts';
import { answerSchema } from '../content/model/prompt.ts';
import { openAiConfig } from '../integrations/openai/config.ts';
import { createOpenAiWriter } from '../integrations/openai/write.ts';
import type { WriteRequest } from '../integrations/port.ts';
import { localModelName, startLocalModel } from '../local/model/server.ts';
import { composeStep } from '../operations/composition/compose-step.ts';
import { createConnection } from '../operations/connections.ts';
import type { BuiltDeps } from '../operations/create-deps.ts';
import { compilePreset, publishPreset } from '../operations/publish-sequence.ts';
import { nullSender } from './five-mails.ts';
import { known, type Measured, median } from './measure.ts';
import { accept, cartUpdated, openDeps, openTenant, sign } from './shop.ts';
import type { BenchStack } from './stack.ts';

const perRound = 50;
const warmUps = 10;
const hourMs = 3_600_000;
const mostTokens = 1_500;

const yaml = `sequence: bench
name: One email by a model
on: cart.abandoned
reentry: once-per-subject
steps:
  - { id: mail, at: 2h, channel: email, content: { model: bench/mail, fallback: bench/mail } }
`;
const template = '---\nsubject: Your cart\npreheader: It waits\nheading: Your cart\ncta: Back to it\n---\nHello.\n\n[cart]\n';

/**
 * What a composition takes beside the model's own time: the facts are read, the call is claimed with what it can cost, the answer is judged and stored. The
 * floor is the bare call of the same server with the same question, by turns; no model is behind it, so the floor is the client's and the line's.
 */
export async function measureComposition(stack: BenchStack, rounds: number): Promise<Measured> {
  const model = await startLocalModel();
  const deps = openDeps(stack.databaseUrl, stack.masterKey, { defaultSenders: [nullSender] });
  try {
    const tenant = await openTenant(deps, 'bench-composition');
    const config = { apiKey: 'bench', baseUrl: model.url, model: localModelName };
    const made = await createConnection(deps, tenant.tenantId, { integration: 'openai', name: 'Stand-in', config, secrets: [] }, 'bench');
    if (made.kind !== 'created') throw new Error(JSON.stringify(made));
    const preset = await compilePreset({ file: 'bench.yaml', yaml, copy: { 'bench/mail': { file: 'bench/mail.liquid', text: template } } });
    await publishPreset(deps, tenant.tenantId, preset);
    const writer = createOpenAiWriter(openAiConfig.parse(config));
    const composed: number[] = [];
    const bare: number[] = [];
    for (let n = 0; n < warmUps + perRound * rounds; n++) {
      const atMs = Date.now();
      await accept(deps, sign(tenant, cartUpdated(`cart-${n}`, atMs)));
      const enrollmentId = await enrollmentOf(deps, tenant.tenantId, `cart-${n}`);
      const tookMs = await timed(() => composeStep(deps, { tenantId: tenant.tenantId, enrollmentId, stepId: 'mail', dueMs: atMs + 2 * hourMs }));
      const asked = model.calls.at(-1);
      if (asked === undefined) throw new Error('the model was not asked');
      const request: WriteRequest = { messages: asked.messages as WriteRequest['messages'], answer: answerSchema, mostTokens };
      const floorMs = await timed(() => writer.write(request, { timeoutMs: 5_000 }));
      if (n < warmUps) continue;
      composed.push(tookMs);
      bare.push(floorMs);
    }
    return {
      figures: [
        known('compose', median(composed), 'ms', median(bare)),
        known('compose_overhead', median(composed.map((ms, at) => ms - (bare[at] ?? 0))), 'ms'),
      ],
      latencies: [{ name: 'compose', valuesMs: composed, floorMs: bare }],
      notes: [
        `composition: ${composed.length} texts, one after the other, without Temporal; the floor is the bare call of the local server by the same client`,
      ],
    };
  } finally {
    await deps.db.close();
    await model.close();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const fromMs = performance.now();
  await work();
  return performance.now() - fromMs;
}

async function enrollmentOf({ db }: BuiltDeps, tenantId: string, cart: string): Promise<string> {
  const [row] = await db.withTenant(tenantId, (tx) =>
    tx
      .select({ id: enrollments.id })
      .from(enrollments)
      .innerJoin(subjectKeys, and(eq(subjectKeys.tenantId, enrollments.tenantId), eq(subjectKeys.subjectId, enrollments.subjectId)))
      .where(eq(subjectKeys.value, cart)),
  );
  if (row === undefined) throw new Error(`${cart} has no sequence`);
  return row.id;
}
