import { and, eq, inArray, isNotNull, isNull, or } from 'drizzle-orm';
import { copyNameOf } from '../../content/channels/index.ts';
import type { Tx } from '../../db/client.ts';
import { campaigns, scripts, sequenceDrafts, sequences, sequenceVersions } from '../../db/schema/index.ts';
import { channels, isChannel } from '../../domain/channels/index.ts';
import { chosenScript } from '../../domain/scripts/choose-script.ts';
import { changeStep, insertStep, newSequenceFile, removeStep, sequenceFileOf, setFields, stepsOfFile } from '../../domain/sequence/edit-file.ts';
import { fileOfDefinition } from '../../domain/sequence/file-of-definition.ts';
import { parseSequence } from '../../domain/sequence/parse-sequence.ts';
import { type Anchor, type DelayUnit, dueField, type PlainStep, plainStepsOf } from '../../domain/sequence/plain-step.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { type DraftSource, type DraftStored, type SourceFault, storeDraft, storeEmptyDraft } from './draft.ts';

// For code that may not import `domain/`.
export { anchors, delayUnits, type PlainStep } from '../../domain/sequence/plain-step.ts';

/** What a caller says of a step; absent: it stays, or has its default. */
export interface StepWish {
  id?: string | undefined;
  order?: number | undefined;
  channels?: string[] | undefined;
  delayValue?: number | undefined;
  delayUnit?: DelayUnit | undefined;
  anchor?: Anchor | undefined;
  /** What it reacts to, as its file says it. */
  on?: unknown;
  /** A script's id or name. */
  scriptId?: string | null | undefined;
  content?: string | null | undefined;
  /** Its words, as in a file of its first channel. */
  text?: string | undefined;
  /** As in a file; a list: all of them. */
  conditions?: unknown;
  maxRetries?: number | undefined;
}

type EditDeps = Pick<Deps, 'db' | 'subjects'>;
interface By {
  tenantId: string;
  actor: string;
}
interface Where extends By {
  slug: string;
}

/** What keeps a draft from being edited. */
export type EditRefused =
  | { kind: 'unknown' }
  | { kind: 'unknown_step' }
  | { kind: 'unknown_script' }
  | { kind: 'unknown_campaign' }
  | { kind: 'slug_taken' }
  | { kind: 'invalid'; faults: SourceFault[] }
  /** Others keep changing it. */
  | { kind: 'busy' };

export type Edited = { kind: 'edited'; step: string | null } | EditRefused;

export interface SequenceWish extends By {
  /** null: it is made from the name. */
  slug: string | null;
  name: string;
  description: string | null;
  campaignId: string | null;
  on: string;
  about: string | null;
}

/** Make a sequence that has no steps yet. With a campaign, that uses it from now on, or, where it has an active one, from when this is activated. */
export async function createSequence(
  deps: EditDeps,
  { tenantId, actor, campaignId, ...wish }: SequenceWish,
): Promise<{ kind: 'created'; slug: string } | EditRefused> {
  const { name, description, on, about } = wish;
  return deps.db.withTenant(tenantId, async (tx) => {
    const campaign = campaignId === null ? null : await openCampaign(tx, campaignId);
    if (campaign === 'unknown') return { kind: 'unknown_campaign' };
    const slug = await freeSlug(tx, wish.slug, name);
    if (slug === null) return { kind: 'slug_taken' };
    const yaml = newSequenceFile({
      sequence: slug,
      name,
      ...(description === null ? {} : { description }),
      on,
      ...(about === null ? {} : { about }),
      // A step may come that long after the start.
      maxAge: '90d',
      reentry: { cooldown: '30d' },
    });
    const faults = faultsOfEmpty(yaml, deps, slug);
    if (faults.length > 0) return { kind: 'invalid', faults };
    await storeEmptyDraft(tx, { tenantId, actor, slug, name, source: { yaml, copy: {} } });
    if (campaignId !== null) await assignTo(tx, { tenantId, actor, campaignId, slug });
    return { kind: 'created', slug };
  });
}

/** @param wanted - null: it is made from the name. @returns null: it is taken */
export async function freeSlug(tx: Tx, wanted: string | null, name: string): Promise<string | null> {
  const tried = wanted === null ? slugsFor(name) : [wanted];
  // A deleted draft leaves its row behind, which is free again.
  const rows = await tx
    .select({ slug: sequences.slug })
    .from(sequences)
    .leftJoin(sequenceDrafts, eq(sequenceDrafts.sequenceId, sequences.id))
    .where(and(inArray(sequences.slug, tried), or(isNotNull(sequences.currentVersionId), isNotNull(sequenceDrafts.sequenceId))));
  const taken = new Set(rows.map(({ slug }) => slug));
  return tried.find((one) => !taken.has(one)) ?? null;
}

/** A step that is missing is what is wrong with it, and nothing else. */
function faultsOfEmpty(yaml: string, { subjects }: Pick<Deps, 'subjects'>, slug: string): SourceFault[] {
  const parsed = parseSequence(yaml, subjects);
  if (parsed.ok) return [];
  return parsed.errors
    .filter(({ message }) => !message.startsWith('`steps`'))
    .map(({ line, column, message }) => ({ path: `${slug}.yaml:${line}:${column}`, message }));
}

function slugsFor(name: string): string[] {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 36)
    .replace(/-+$/, '');
  const base = plain === '' ? 'sequence' : plain;
  return [base, ...Array.from({ length: 98 }, (_, index) => `${base}-${index + 2}`)];
}

/** Change what is said of a sequence as a whole: in its draft, of which one is made where there is none. The campaign uses it as `createSequence` says. */
export async function editSequence(
  deps: EditDeps,
  {
    campaignId,
    fields,
    ...where
  }: Where & { campaignId: string | null | undefined; fields: { name?: string | undefined; description?: string | null | undefined } },
): Promise<Edited> {
  const named = Object.entries(fields).filter(([, value]) => value !== undefined);
  if (named.length > 0) {
    const set = Object.fromEntries(named.map(([name, value]) => [name, value ?? undefined]));
    const edited = await edit(deps, where, (source) => ({ ...source, yaml: setFields(source.yaml, set) }));
    if (edited.kind !== 'edited') return edited;
  }
  if (campaignId === undefined) return { kind: 'edited', step: null };
  return deps.db.withTenant(where.tenantId, async (tx): Promise<Edited> => {
    if (campaignId !== null && (await openCampaign(tx, campaignId)) === 'unknown') return { kind: 'unknown_campaign' };
    await assignTo(tx, { ...where, campaignId });
    return { kind: 'edited', step: null };
  });
}

async function openCampaign(tx: Tx, id: string): Promise<'known' | 'unknown'> {
  const [row] = await tx.select({ status: campaigns.status }).from(campaigns).where(eq(campaigns.id, id));
  return row === undefined || row.status === 'ENDED' ? 'unknown' : 'known';
}

/** @param campaignId - null: no campaign uses it any more */
async function assignTo(tx: Tx, { tenantId, actor, campaignId, slug }: By & { campaignId: string | null; slug: string }): Promise<void> {
  const [sequence] = await tx.select({ id: sequences.id, live: sequences.currentVersionId }).from(sequences).where(eq(sequences.slug, slug));
  if (sequence === undefined) return;
  const waits = campaignId !== null && sequence.live === null && (await hasActiveSequence(tx, campaignId));
  await tx
    .update(sequenceDrafts)
    .set({ campaignId: waits ? campaignId : null })
    .where(eq(sequenceDrafts.sequenceId, sequence.id));
  if (waits) return;
  const using = campaignId === null ? eq(campaigns.sequenceId, sequence.id) : eq(campaigns.id, campaignId);
  const changed = await tx
    .update(campaigns)
    .set({ sequenceId: campaignId === null ? null : sequence.id })
    .where(using)
    .returning({ id: campaigns.id });
  for (const { id } of changed) await recordAudit(tx, { tenantId, actor, action: 'campaign.change', subject: id, data: { changed: ['sequence'] } });
}

/** Leads go on to a sequence that takes them in until the next one does. */
async function hasActiveSequence(tx: Tx, campaignId: string): Promise<boolean> {
  const [row] = await tx
    .select({ status: sequences.status })
    .from(campaigns)
    .innerJoin(sequences, eq(sequences.id, campaigns.sequenceId))
    .where(eq(campaigns.id, campaignId));
  return row?.status === 'ACTIVE';
}

/** The campaign that waited for a sequence uses it, now that it is published. One that has ended meanwhile stays as it was. */
export async function assignWaiting(tx: Tx, { campaignId, ...where }: By & { campaignId: string; slug: string }): Promise<void> {
  if ((await openCampaign(tx, campaignId)) === 'known') await assignTo(tx, { ...where, campaignId });
}

/** Add a step to the draft; it stands at its `order`, or at the end. */
export async function addStep(deps: EditDeps, { wish, ...where }: Where & { wish: StepWish }): Promise<Edited> {
  const found = await scriptNamed(deps, where.tenantId, wish.scriptId);
  if (found === null) return { kind: 'unknown_script' };
  const script = found.name;
  let id = wish.id ?? '';
  return edit(
    deps,
    where,
    (source) => {
      const known = stepsOfFile(source.yaml);
      const channels = wish.channels ?? [];
      id = wish.id ?? freeId(channels[0] ?? 'step', new Set(known.map((step) => step.id)));
      const content = wish.text === undefined ? (wish.content ?? null) : (wish.content ?? `${where.slug}/${id}`);
      const anchor = wish.on === undefined ? (wish.anchor ?? 'enrollment') : 'event';
      const step = {
        id,
        ...(wish.on === undefined ? {} : { on: wish.on }),
        ...dueField({ delayValue: wish.delayValue ?? 0, delayUnit: wish.delayUnit ?? 'minutes', anchor }),
        channel: oneOrMany(channels),
        ...(content === null ? {} : { content }),
        ...(script === null ? (content === null && channels.some(speaks) ? { script: chosenScript } : {}) : { script }),
        ...fieldOf('when', conditionOf(wish.conditions)),
        ...fieldOf('maxRetries', wish.maxRetries),
      };
      return withText({ ...source, yaml: insertStep(source.yaml, step, wish.order ?? known.length) }, content, channels, wish.text);
    },
    () => id,
  );
}

/** Change a step of the draft; what is absent stays. */
export async function editStep(deps: EditDeps, { stepId, wish, ...where }: Where & { stepId: string; wish: StepWish }): Promise<Edited> {
  const found = await scriptNamed(deps, where.tenantId, wish.scriptId);
  if (found === null) return { kind: 'unknown_script' };
  const script = found.name;
  return edit(
    deps,
    where,
    (source) => {
      const now = plainStepIn(deps, source.yaml, stepId);
      if (now === null) return null;
      const channels = wish.channels ?? now.channels;
      const content =
        wish.content === undefined ? (wish.text === undefined ? now.content : (now.content ?? `${where.slug}/${stepId}`)) : wish.content;
      const moved = wish.delayValue !== undefined || wish.delayUnit !== undefined || wish.anchor !== undefined || wish.on !== undefined;
      const anchor = wish.on === undefined ? (wish.anchor ?? now.anchor) : wish.on === null ? (wish.anchor ?? 'enrollment') : 'event';
      const due = dueField({ delayValue: wish.delayValue ?? now.delayValue, delayUnit: wish.delayUnit ?? now.delayUnit, anchor });
      const needsScript =
        content === null && channels.some(speaks) && !stepsOfFile(source.yaml).some(({ id, fields }) => id === stepId && hasTexts(fields));
      const named = wish.scriptId === undefined ? now.scriptId : script;
      const fields: Record<string, unknown> = {
        ...(wish.on === undefined ? {} : { on: wish.on ?? undefined }),
        ...(moved ? { at: undefined, after: undefined, ...due } : {}),
        ...(wish.channels === undefined ? {} : { channel: oneOrMany(channels) }),
        ...(wish.content === undefined && wish.text === undefined ? {} : { content: content ?? undefined }),
        ...(wish.scriptId === undefined && wish.content === undefined && wish.text === undefined
          ? {}
          : { script: named ?? (needsScript ? chosenScript : undefined) }),
        ...(wish.conditions === undefined ? {} : { when: conditionOf(wish.conditions) }),
        ...(wish.maxRetries === undefined ? {} : { maxRetries: wish.maxRetries }),
      };
      const yaml = changeStep(source.yaml, stepId, fields, wish.order ?? null);
      return yaml === null ? null : withText({ ...source, yaml }, content, channels, wish.text);
    },
    () => stepId,
  );
}

/** What a caller says of all steps that run in order: those that are missing are taken out. */
export interface StepsWish {
  id: string;
  /** As in a file: 30m, 2h, 3d. */
  due: { at: string } | { after: string };
  channels: string[];
  offer: boolean;
}

/**
 * Make a draft with these steps, in this order, from the version in use.
 * @returns `has_draft`: somebody edits the sequence already, and what they have not published is not to go along
 */
export async function editAllSteps(
  deps: EditDeps,
  { wishes, ...where }: Where & { wishes: readonly StepsWish[] },
): Promise<Edited | { kind: 'has_draft' }> {
  const known = await deps.db.withTenant(where.tenantId, (tx) => readSource(tx, where.slug));
  if (known === null) return { kind: 'unknown' };
  if (known.draft !== null) return { kind: 'has_draft' };
  const inOrder = known.definition?.steps.filter(({ due }) => due.from !== 'event') ?? [];
  if (wishes.some(({ id }) => !inOrder.some((step) => step.id === id))) return { kind: 'unknown_step' };
  return edit(deps, where, (source) => {
    let yaml: string | null = source.yaml;
    for (const { id } of inOrder) if (!wishes.some((wish) => wish.id === id)) yaml = yaml && removeStep(yaml, id);
    for (const [order, { id, due, channels, offer }] of wishes.entries()) {
      const own = inOrder.find((step) => step.id === id)?.offer;
      const brings = offer === (own !== undefined) ? {} : { offer: offer ? true : undefined };
      yaml = yaml && changeStep(yaml, id, { at: undefined, after: undefined, ...due, channel: oneOrMany(channels), ...brings }, order);
    }
    return yaml === null ? null : { ...source, yaml };
  });
}

/** Take a step out of the draft: those behind it move up. */
export function deleteStep(deps: EditDeps, { stepId, ...where }: Where & { stepId: string }): Promise<Edited> {
  return edit(deps, where, (source) => {
    const yaml = removeStep(source.yaml, stepId);
    return yaml === null ? null : { ...source, yaml };
  });
}

/** Delete a sequence of which nothing was published. @returns `in_use`: something was */
export function deleteSequence(deps: Pick<Deps, 'db'>, { tenantId, slug, actor }: Where): Promise<'deleted' | 'unknown' | 'in_use'> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [sequence] = await tx.select().from(sequences).where(eq(sequences.slug, slug)).for('no key update');
    if (sequence === undefined) return 'unknown';
    if (sequence.status !== 'DRAFT' || sequence.currentVersionId !== null) return 'in_use';
    const deleted = await tx.delete(sequenceDrafts).where(eq(sequenceDrafts.sequenceId, sequence.id)).returning({ id: sequenceDrafts.sequenceId });
    if (deleted.length === 0) return 'unknown';
    await assignTo(tx, { tenantId, actor, campaignId: null, slug });
    await recordAudit(tx, { tenantId, actor, action: 'sequence.delete', subject: sequence.id, data: { sequence: slug } });
    return 'deleted';
  });
}

/** The steps of the version in use and of the draft, in the fields of a retention center; null: there is no such version, or draft. */
export interface SequenceSteps {
  description: string | null;
  campaigns: string[];
  /** The campaign that uses it once it is activated; null: none waits. */
  waiting: string | null;
  steps: PlainStep[] | null;
  draftSteps: PlainStep[] | null;
}

export function readSteps(deps: EditDeps, tenantId: string, slug: string): Promise<SequenceSteps | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const known = await readSource(tx, slug);
    if (known === null) return null;
    const parsed = known.draft === null ? null : parseSequence(known.draft.yaml, deps.subjects);
    const definition = known.definition ?? (parsed?.ok === true ? parsed.definition : null);
    const using = await tx.select({ id: campaigns.id }).from(campaigns).where(eq(campaigns.sequenceId, known.id)).orderBy(campaigns.id);
    return {
      description: definition?.description ?? null,
      campaigns: using.map(({ id }) => id),
      waiting: known.waiting,
      steps: known.definition === null ? null : plainStepsOf(known.definition),
      draftSteps: parsed === null ? null : parsed.ok ? plainStepsOf(parsed.definition) : [],
    };
  });
}

async function readSource(tx: Tx, slug: string) {
  const [row] = await tx
    .select({
      id: sequences.id,
      definition: sequenceVersions.definition,
      yaml: sequenceDrafts.yaml,
      copy: sequenceDrafts.copy,
      hash: sequenceDrafts.sourceHash,
      waiting: sequenceDrafts.campaignId,
    })
    .from(sequences)
    .leftJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
    .leftJoin(sequenceDrafts, eq(sequenceDrafts.sequenceId, sequences.id))
    .where(eq(sequences.slug, slug));
  if (row === undefined || (row.definition === null && row.yaml === null)) return null;
  const { id, definition, yaml, copy, hash, waiting } = row;
  return { id, definition, waiting, draft: yaml === null || copy === null || hash === null ? null : { yaml, copy, hash } };
}

/** Change the draft as it stands, or the version in use where there is none. Somebody else's change in between is not overwritten. */
async function edit(
  deps: EditDeps,
  where: Where,
  change: (source: DraftSource) => DraftSource | null,
  step: () => string | null = () => null,
): Promise<Edited> {
  const { tenantId, slug, actor } = where;
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const known = await deps.db.withTenant(tenantId, (tx) => readSource(tx, slug));
    if (known === null) return { kind: 'unknown' };
    const { draft, definition } = known;
    const source = draft ?? (definition === null ? null : { yaml: sequenceFileOf(fileOfDefinition(definition)), copy: {} });
    const next = source === null ? null : change({ yaml: source.yaml, copy: source.copy });
    if (next === null) return { kind: 'unknown_step' };
    const stored = await storeEdited(deps, { tenantId, slug, actor, source: next, over: draft?.hash ?? null });
    if (stored.kind === 'stored') return { kind: 'edited', step: step() };
    if (stored.kind === 'invalid') return stored;
  }
  return { kind: 'busy' };
}

type Storing = Where & { source: DraftSource; over: string | null };

async function storeEdited(deps: EditDeps, { source, ...where }: Storing): Promise<DraftStored | { kind: 'stored' }> {
  if (stepsOfFile(source.yaml).length > 0) return storeDraft(deps, { ...where, source });
  const faults = faultsOfEmpty(source.yaml, deps, where.slug);
  if (faults.length > 0) return { kind: 'invalid', faults };
  const isStored = await deps.db.withTenant(where.tenantId, (tx) => storeEmptyDraft(tx, { ...where, name: null, source }));
  return isStored ? { kind: 'stored' } : { kind: 'stale' };
}

function plainStepIn({ subjects }: Pick<Deps, 'subjects'>, yaml: string, id: string): PlainStep | null {
  const parsed = parseSequence(yaml, subjects);
  return parsed.ok ? (plainStepsOf(parsed.definition).find((step) => step.id === id) ?? null) : null;
}

/** The name of the script that is wanted, if any. @returns null: there is no such script */
async function scriptNamed(deps: EditDeps, tenantId: string, wanted: string | null | undefined): Promise<{ name: string | null } | null> {
  if (wanted === undefined || wanted === null) return { name: null };
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(wanted);
  const [found] = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({ name: scripts.name })
      .from(scripts)
      .where(and(isNull(scripts.removedAt), isId ? or(eq(scripts.id, wanted), eq(scripts.name, wanted)) : eq(scripts.name, wanted)))
      .limit(1),
  );
  return found ?? null;
}

const speaks = (channel: string): boolean => isChannel(channel) && channels[channel].carriesCopy;
const hasTexts = (fields: ReadonlySet<string>) => fields.has('variants') || fields.has('texts');
const oneOrMany = (names: readonly string[]) => (names.length === 1 ? names[0] : [...names]);
const fieldOf = (name: string, value: unknown) => (value === undefined ? {} : { [name]: value });

function conditionOf(conditions: unknown): unknown {
  if (conditions === null || conditions === undefined) return undefined;
  if (!Array.isArray(conditions)) return conditions;
  const [first, ...more] = conditions as unknown[];
  return more.length === 0 ? first : { all: conditions };
}

function withText(source: DraftSource, content: string | null, names: readonly string[], text: string | undefined): DraftSource {
  const channel = names.find(isChannel);
  if (text === undefined || content === null || channel === undefined) return source;
  return { ...source, copy: { ...source.copy, [copyNameOf(content, channel)]: text } };
}

function freeId(channel: string, taken: ReadonlySet<string>): string {
  for (let n = 1; ; n += 1) if (!taken.has(`${channel}_${n}`)) return `${channel}_${n}`;
}
