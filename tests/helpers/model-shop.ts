import { eq } from 'drizzle-orm';
import { compositions, decisions, modelSpending } from '../../db/schema/index.ts';
import type { GateCheck } from '../../domain/gates/verdict.ts';
import { startLocalModel, type LocalModel, type LocalModelOptions } from '../../local/model/server.ts';
import { createConnection } from '../../operations/connections.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { openShop, type Shop, type ShopOptions } from './shop.ts';

const template = `---
subject: The template
preheader: It waits
heading: The template
cta: Go on
---
The template says this.

[cart]
`;

export interface ModelShop {
  shop: Shop;
  model: LocalModel;
  /** The composition of an enrollment's one step. */
  compositionOf(enrollmentId: string): Promise<typeof compositions.$inferSelect | null>;
  /** The line of the latest decision that says who writes. */
  copyCheckOf(enrollmentId: string): Promise<GateCheck | null>;
  spentMicros(): Promise<number>;
  close(): Promise<void>;
}

const modelSequence = (more = '') => `sequence: cart
name: Cart
on: cart.abandoned
reentry: once-per-subject
steps:
  - { id: nudge, at: 2h, channel: email, content: { model: cart/nudge, fallback: cart/nudge } }
${more}`;

/** Publish the sequence whose one step a model writes; a worker publishes the presets when it starts, so it starts before. */
export async function publishModelStep(
  shop: Shop,
  { yaml = modelSequence(), brief = null }: { yaml?: string; brief?: string | null } = {},
): Promise<void> {
  const copy = {
    'cart/nudge': { file: 'nudge.liquid', text: template },
    'cart/nudge.sms': { file: 'nudge.sms.liquid', text: '{{ store.name }}: {{ link.url }} {{ optOut }}' },
    ...(brief === null ? {} : { 'cart/nudge.brief': { file: 'nudge.brief.yaml', text: brief } }),
  };
  await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: 'cart.yaml', yaml, copy }));
}

/** A shop with a local model connected by HTTP. @param connect - what the connection says beside key and address; null: none is made */
export async function openModelShop(
  options: ShopOptions & { connect?: Record<string, unknown> | null; model?: LocalModelOptions; worker?: boolean } = {},
): Promise<ModelShop> {
  const { connect = {}, model: modelOptions, worker = false, ...shopOptions } = options;
  const model = await startLocalModel(modelOptions);
  const shop = await openShop(shopOptions);
  const { tenantId } = shop.tenant;
  if (worker) await shop.startWorker();
  await publishModelStep(shop);
  if (connect !== null) {
    const config = { apiKey: 'local-key', baseUrl: model.url, timeoutSeconds: 2, ...connect };
    const made = await createConnection(shop.deps, tenantId, { integration: 'openai', name: 'Local model', config, secrets: [] }, 'test');
    if (made.kind !== 'created') throw new Error(JSON.stringify(made));
  }
  return {
    shop,
    model,
    compositionOf: (enrollmentId) =>
      shop.deps.db.withTenant(
        tenantId,
        async (tx) => (await tx.select().from(compositions).where(eq(compositions.enrollmentId, enrollmentId)))[0] ?? null,
      ),
    copyCheckOf: (enrollmentId) =>
      shop.deps.db.withTenant(tenantId, async (tx) => {
        const rows = await tx.select().from(decisions).where(eq(decisions.enrollmentId, enrollmentId)).orderBy(decisions.id);
        return rows.at(-1)?.checks.find(({ gate }) => gate === 'copy') ?? null;
      }),
    spentMicros: () => shop.deps.db.withTenant(tenantId, async (tx) => (await tx.select().from(modelSpending))[0]?.micros ?? 0),
    async close() {
      await shop.close();
      await model.close();
    },
  };
}
