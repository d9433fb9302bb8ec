import { and, eq, inArray, isNotNull, isNull, ne, or, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { channelContentOf, copyNameOf } from '../../content/channels/index.ts';
import { CopySourceError } from '../../content/copy-source.ts';
import { scriptContent } from '../../content/step-texts.ts';
import { postgresCode, type Tx } from '../../db/client.ts';
import { campaigns, experiments, scripts, sequences, sequenceVersions } from '../../db/schema/index.ts';
import { type Channel, isChannel } from '../../domain/channels/index.ts';
import { languageTag } from '../../domain/languages.ts';
import { chosenScript, ownTexts } from '../../domain/scripts/choose-script.ts';
import type { AnySubjectKind } from '../../domain/subjects/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { type Page, type PageWanted, readSorted } from '../read/page.ts';

// For code that may not import `domain/`.
export { channelNames as scriptChannels } from '../../domain/channels/index.ts';
export { scriptName } from '../../domain/sequence/definition-schema.ts';

export type ScriptRow = typeof scripts.$inferSelect;

export interface ScriptFields {
  name: string;
  /** Its words, as in a file of that channel. */
  content: string;
  /** The same in other languages, by BCP 47. */
  translations: Readonly<Record<string, string>>;
  campaignId: string | null;
  isDefault: boolean;
  call: Record<string, unknown> | null;
}

/** What keeps a script from being saved, with its remedy. */
export type ScriptRefused =
  /** `path` is the field, with the line of the text. */
  | { kind: 'invalid'; faults: { path: string; message: string }[] }
  | { kind: 'unknown_campaign' }
  | { kind: 'name_taken' }
  /** The campaign has another script of that channel. */
  | { kind: 'campaign_has_one' };

export type ScriptSaved = { kind: 'saved'; row: ScriptRow } | ScriptRefused;

type ScriptDeps = Pick<Deps, 'db' | 'subjects'>;

interface By {
  tenantId: string;
  actor: string;
}

/** Source: docs/adr/0061-scripts.md */
export async function createScript(
  deps: ScriptDeps,
  { tenantId, actor, channel, about, fields }: By & { channel: Channel; about: string; fields: ScriptFields },
): Promise<ScriptSaved> {
  const kind = deps.subjects.all.find((known) => known.kind === about);
  if (kind === undefined)
    return {
      kind: 'invalid',
      faults: [{ path: 'about', message: `is not understood: write ${deps.subjects.all.map((known) => known.kind).join(' or ')}` }],
    };
  const compiled = await compileScript(kind, channel, fields);
  if ('faults' in compiled) return { kind: 'invalid', ...compiled };
  return unlessTaken(
    deps.db.withTenant(tenantId, async (tx): Promise<ScriptSaved> => {
      const refused = await placeFor(tx, { channel, about, fields, id: null });
      if (refused !== null) return refused;
      const id = uuidv7();
      const { name, campaignId, isDefault, call } = fields;
      await tx.insert(scripts).values({ tenantId, id, name, channel, about, campaignId, isDefault, call, ...compiled, changedBy: actor });
      await recordAudit(tx, { tenantId, actor, action: 'script.create', subject: id, data: { name, channel, campaign: campaignId, isDefault } });
      return saved(tx, id);
    }),
  );
}

/**
 * Change a script. What is sent from now on has its new words; what went out keeps the old ones.
 * @returns null: there is no such script
 */
export async function changeScript(
  deps: ScriptDeps,
  { tenantId, actor, id, fields }: By & { id: string; fields: Partial<ScriptFields> },
): Promise<ScriptSaved | { kind: 'in_use'; sequences: string[] } | null> {
  const before = await readScript(deps, tenantId, id);
  const channel = before === null ? null : channelOf(before);
  if (before === null || channel === null) return null;
  const { '': content = '', ...translations } = before.texts;
  const known: ScriptFields = { ...{ content, translations }, name: before.name, ...placed(before), call: before.call };
  const next = { ...known, ...fields };
  const compiled = await compileScript(deps.subjects.of(before.about), channel, next);
  if ('faults' in compiled) return { kind: 'invalid', ...compiled };
  return unlessTaken(
    deps.db.withTenant(tenantId, async (tx) => {
      const using = next.name === before.name ? [] : await sequencesNaming(tx, before.name);
      if (using.length > 0) return { kind: 'in_use' as const, sequences: using };
      const refused = await placeFor(tx, { channel, about: before.about, fields: next, id });
      if (refused !== null) return refused;
      const { name, campaignId, isDefault, call } = next;
      const changed = await tx
        .update(scripts)
        .set({ name, campaignId, isDefault, call, ...compiled, changedAt: sql`clock_timestamp()`, changedBy: actor })
        .where(and(eq(scripts.id, id), isNull(scripts.removedAt)))
        .returning({ id: scripts.id });
      if (changed.length === 0) return null;
      await recordAudit(tx, { tenantId, actor, action: 'script.change', subject: id, data: { changed: Object.keys(fields) } });
      return saved(tx, id);
    }),
  );
}

/**
 * Take a script out of use. Messages that it was used for remember it.
 * @returns null: there is no such script; else the sequences in use that name it, and the tests in which it is
 */
export function removeScript(
  deps: ScriptDeps,
  { tenantId, actor, id }: By & { id: string },
): Promise<{ removed: boolean; sequences: string[]; tests: string[] } | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx
      .select({ name: scripts.name })
      .from(scripts)
      .where(and(eq(scripts.id, id), isNull(scripts.removedAt)))
      .for('update');
    if (row === undefined) return null;
    const using = await sequencesNaming(tx, row.name);
    const tests = await testsWith(tx, id);
    if (using.length > 0 || tests.length > 0) return { removed: false, sequences: using, tests };
    await tx.update(scripts).set({ removedAt: sql`clock_timestamp()` }).where(eq(scripts.id, id));
    await recordAudit(tx, { tenantId, actor, action: 'script.remove', subject: id, data: { name: row.name } });
    return { removed: true, sequences: [], tests: [] };
  });
}

/** @returns null where the tenant has no such script, or it was removed */
export async function readScript(deps: Pick<Deps, 'db'>, tenantId: string, id: string): Promise<ScriptRow | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx
      .select()
      .from(scripts)
      .where(and(eq(scripts.id, id), isNull(scripts.removedAt)));
    return row ?? null;
  });
}

/** The newest first. */
export function listScripts(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  { channel, campaign }: { channel?: Channel | undefined; campaign?: string | undefined },
  page: PageWanted,
): Promise<Page<ScriptRow>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const wanted = and(
      isNull(scripts.removedAt),
      channel === undefined ? undefined : eq(scripts.channel, channel),
      campaign === undefined ? undefined : eq(scripts.campaignId, campaign),
    );
    const { items, next } = await readSorted(page, { usual: 'newest', id: scripts.id, columns: { name: scripts.name } }, (part) =>
      tx
        .select({ id: scripts.id, sortedBy: part.sortedBy, script: scripts })
        .from(scripts)
        .where(and(wanted, part.where))
        .orderBy(...part.orderBy)
        .limit(part.limit),
    );
    return { items: items.map(({ script }) => script), next };
  });
}

/** `none_yet`: a step is sent by whichever script is there, and none is. A draft may wait for one; what is published may not. */
export interface ScriptFault {
  step: string;
  kind: 'none_yet' | 'wrong';
  message: string;
}

/** What is wrong with the scripts that a sequence names, by step; empty: nothing. */
export async function scriptFaults(tx: Tx, { steps }: typeof sequenceVersions.$inferSelect.definition, about: string): Promise<ScriptFault[]> {
  const asking = steps.filter(({ script }) => script !== undefined && script !== ownTexts);
  if (asking.length === 0) return [];
  const known = await tx.select().from(scripts).where(isNull(scripts.removedAt));
  return asking.flatMap(({ id: step, script, channels: wanted, content }): ScriptFault[] => {
    const fits = (row: ScriptRow) => row.about === about && wanted.some((channel) => channel === row.channel);
    if (script === chosenScript) {
      const some = known.some((row) => fits(row) && (row.isDefault || row.campaignId !== null));
      const message = `can be sent by no script: no campaign has one for ${wanted.join(' or ')} and none is its default`;
      return some || content !== null ? [] : [{ step, kind: 'none_yet', message }];
    }
    const named = known.filter(({ name }) => name === script);
    if (named.length === 0) return [{ step, kind: 'wrong', message: `names the script "${script}", which does not exist` }];
    const message = `names the script "${script}", which is about another kind of thing or for another channel`;
    return named.some(fits) ? [] : [{ step, kind: 'wrong', message }];
  });
}

/** The sequences whose version in use, or draft of it, names a script. */
async function sequencesNaming(tx: Tx, name: string): Promise<string[]> {
  const rows = await tx
    .select({ slug: sequences.slug })
    .from(sequences)
    .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
    .where(
      and(ne(sequences.status, 'ARCHIVED'), sql`${sequenceVersions.definition} @? ${`$.steps[*] ? (@.script == ${JSON.stringify(name)})`}::jsonpath`),
    );
  return rows.map(({ slug }) => slug).toSorted();
}

/** Tests of campaigns that run, or whose winner is suggested or goes out, in which a script is. */
async function testsWith(tx: Tx, scriptId: string): Promise<string[]> {
  const rows = await tx
    .select({ id: experiments.id })
    .from(experiments)
    .where(
      and(
        isNotNull(experiments.campaignId),
        or(eq(experiments.status, 'RUNNING'), inArray(experiments.takeover, ['suggested', 'applied'])),
        sql`exists (select from jsonb_each_text(${experiments.scripts}) s where s.value = ${scriptId})`,
      ),
    );
  return rows.map(({ id }) => id);
}

async function placeFor(
  tx: Tx,
  { channel, about, fields: { campaignId, isDefault }, id }: { channel: Channel; about: string; fields: ScriptFields; id: string | null },
): Promise<ScriptRefused | null> {
  if (campaignId !== null && isDefault)
    return {
      kind: 'invalid',
      faults: [{ path: 'isDefault', message: 'has no use beside a campaign: a script is a campaign’s own, or the default of its channel' }],
    };
  if (campaignId !== null) {
    const [campaign] = await tx.select({ id: campaigns.id }).from(campaigns).where(eq(campaigns.id, campaignId));
    if (campaign === undefined) return { kind: 'unknown_campaign' };
    const mine = and(eq(scripts.campaignId, campaignId), eq(scripts.channel, channel), eq(scripts.about, about), isNull(scripts.removedAt));
    const others = await tx
      .select({ id: scripts.id })
      .from(scripts)
      .where(and(mine, id === null ? undefined : ne(scripts.id, id)));
    if (others.length > 0) return { kind: 'campaign_has_one' };
  }
  // There is one default: the new one takes the place of the old one, which stays as a script.
  if (isDefault)
    await tx
      .update(scripts)
      .set({ isDefault: false })
      .where(
        and(
          eq(scripts.channel, channel),
          eq(scripts.about, about),
          eq(scripts.isDefault, true),
          isNull(scripts.removedAt),
          id === null ? undefined : ne(scripts.id, id),
        ),
      );
  return null;
}

/** The texts compiled by their channel, and what is wrong with them. */
async function compileScript(
  kind: AnySubjectKind,
  channel: Channel,
  { content: text, translations }: Pick<ScriptFields, 'content' | 'translations'>,
): Promise<Pick<ScriptRow, 'texts' | 'content'> | { faults: { path: string; message: string }[] }> {
  const made = channelContentOf(channel);
  if (made === null) return { faults: [{ path: 'channel', message: `has no texts: ${channel} needs no script` }] };
  const original = copyNameOf(scriptContent, channel);
  const content: Record<string, unknown> = {};
  const faults: { path: string; message: string }[] = [];
  for (const [written, source] of [['', text] as const, ...Object.entries(translations)]) {
    const language = written === '' ? null : languageTag(written);
    const path = written === '' ? 'content' : `translations.${written}`;
    if (written !== '' && language === null) {
      faults.push({ path, message: 'is no language: write it as in de, pt-BR or zh-Hant' });
      continue;
    }
    try {
      // It may be the first text of a sequence: the stricter rules hold for it.
      content[language === null ? original : `${original}.${language}`] = await made.compile(
        { file: path, text: source },
        { kind, isFirst: true, language },
      );
    } catch (error) {
      if (!(error instanceof CopySourceError)) throw error;
      faults.push(...error.problems.map(({ file, line, message }) => ({ path: line === null ? file : `${file}:${line}`, message })));
    }
  }
  return faults.length > 0 ? { faults } : { texts: { '': text, ...translations }, content };
}

const channelOf = ({ channel }: ScriptRow): Channel | null => (isChannel(channel) ? channel : null);
const placed = ({ campaignId, isDefault }: ScriptRow) => ({ campaignId, isDefault });

async function saved(tx: Tx, id: string): Promise<ScriptSaved> {
  const [row] = await tx.select().from(scripts).where(eq(scripts.id, id));
  if (row === undefined) throw new Error('a script vanished in its transaction');
  return { kind: 'saved', row };
}

async function unlessTaken<T>(saving: Promise<T>): Promise<T | ScriptRefused> {
  try {
    return await saving;
  } catch (error) {
    // unique_violation
    if (postgresCode(error) !== '23505') throw error;
    return { kind: 'name_taken' };
  }
}
