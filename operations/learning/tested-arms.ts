import { and, eq, inArray, isNotNull, sql } from 'drizzle-orm';
import { copyNameOf, languageOfText } from '../../content/channels/index.ts';
import { partsOfText } from '../../content/parts-of-text.ts';
import type { Tx } from '../../db/client.ts';
import { experiments, scripts, sequences, sequenceVersions, tenants } from '../../db/schema/index.ts';
import { type Channel, isChannel } from '../../domain/channels/index.ts';
import { areSameArms } from '../../domain/experiments/take-over.ts';
import { sharesOf } from '../../domain/experiments/variant.ts';
import type { StepDefinition, StepVariant } from '../../domain/sequence/definition.ts';
import { formsOf } from '../../domain/sequence/step-of-variant.ts';
import { scriptContent } from '../../content/step-texts.ts';
import { isStepTest } from '../experiments/standing.ts';
import { armPieces, assignedBefore, markedArms } from '../read/arm-sums.ts';

type ExperimentRow = typeof experiments.$inferSelect;

/** People of one arm of a test. Each counts in the arm that they got first. */
export interface ArmCount {
  variant: string;
  assigned: number;
  /** Whose window is over. */
  people: number;
  converted: number;
}

/** A test with its counts, as `readArms` counts one (docs/rules.md#rule-35); of all tests of a store in one statement. */
export interface TestedArms {
  experiment: ExperimentRow;
  /** The slug of its sequence; null: it is a campaign’s. */
  sequence: string | null;
  arms: ArmCount[];
}

interface CountRow extends Record<string, unknown> {
  test: string;
  variant: string;
  assigned: number;
  people: number;
  converted: number;
}

/** All tests of a store. */
export async function readTestedArms(tx: Tx, tenantId: string): Promise<TestedArms[]> {
  const [tenant] = await tx.select({ timeScale: tenants.timeScale }).from(tenants).where(eq(tenants.id, tenantId));
  const timeScale = tenant?.timeScale ?? 1;
  // Whoever was in an earlier test of a step is in no later one: the first assignment of a person counts.
  const { rows } = await tx.execute<CountRow>(sql`
    with tests as (
      select x.id, x.sequence_id is null as is_of_campaign, coalesce(x.sequence_id, x.id) as scope_id, coalesce(x.step_id, '') as step_id, x.shares,
        case when x.sequence_id is not null then x.started_at end as from_at, x.ended_at as until_at,
        ${assignedBefore(sql`make_interval(secs => round((coalesce(x.window_ms, (v.definition -> 'goal' ->> 'withinMs')::float8) / ${timeScale}::float8)::numeric)::float8 / 1000)`)} as done_at
      from experiments x
        left join sequences s on s.tenant_id = x.tenant_id and s.id = x.sequence_id
        left join sequence_versions v on v.tenant_id = s.tenant_id and v.id = s.current_version_id),
    bounds as materialized (select t.*, array_remove(array[t.from_at, t.until_at, t.done_at], null) as all from tests t),
    ${markedArms(['test', 'variant'])},
    folded as materialized (
      select t.id as test, 'test' as kind, p.variant, p.shares, p.at, p.people, p.converted
      from bounds t cross join lateral ${armPieces({ kind: 'test', scopeId: sql`t.scope_id`, stepId: sql`t.step_id` }, sql`t.all`, false)} p
      where t.is_of_campaign and p.currency = ''
      union all
      select t.id, 'variant', p.variant, p.shares, p.at, p.people, p.converted
      from bounds t cross join lateral ${armPieces({ kind: 'variant', scopeId: sql`t.scope_id`, stepId: sql`t.step_id` }, sql`t.all`, false)} p
      where not t.is_of_campaign and p.currency = ''
      union all
      select t.id, m.kind, m.variant, m.shares, m.assigned_at, m.sign * m.people, m.sign * m.converted
      from bounds t join marked_arms m on m.scope_id = t.scope_id and m.step_id = t.step_id),
    pieces as materialized (
      select p.*, p.at < t.done_at as is_over from folded p join bounds t on t.id = p.test
      where p.at < coalesce(t.until_at, 'infinity') and (p.kind = 'test' or (p.at >= t.from_at and p.shares = t.shares)))
    select p.test, p.variant, sum(p.people)::int as assigned, coalesce(sum(p.people) filter (where p.is_over), 0)::int as people,
      coalesce(sum(p.converted) filter (where p.is_over), 0)::int as converted
    from pieces p group by 1, 2`);
  const all = await tx
    .select({ experiment: experiments, sequence: sequences.slug })
    .from(experiments)
    .leftJoin(sequences, eq(sequences.id, experiments.sequenceId))
    .orderBy(experiments.id);
  return all.map(({ experiment, sequence }) => ({
    ...{ experiment, sequence },
    arms: Object.keys(experiment.shares)
      .toSorted()
      .map((variant) => {
        const { assigned = 0, people = 0, converted = 0 } = rows.find((row) => row.test === experiment.id && row.variant === variant) ?? {};
        return { variant, assigned, people, converted };
      }),
  }));
}

/** A step as it was while people were assigned in a test of it. */
export interface TestedStep {
  versionId: string;
  step: StepDefinition;
  variants: StepVariant[];
}

/**
 * The steps of tests in each version by which people may have been assigned: the one in force when the test began, and those published until it ended. By
 * the test’s id; none where no version has these arms any more.
 */
export async function readTestedSteps(tx: Tx, tests: readonly ExperimentRow[]): Promise<Map<string, TestedStep[]>> {
  const ofSteps = tests.filter(isStepTest);
  if (ofSteps.length === 0) return new Map();
  const versions = await tx
    .select({
      id: sequenceVersions.id,
      sequenceId: sequenceVersions.sequenceId,
      definition: sequenceVersions.definition,
      publishedAt: sequenceVersions.publishedAt,
    })
    .from(sequenceVersions)
    .where(
      and(
        inArray(sequenceVersions.sequenceId, [...new Set(ofSteps.map(({ sequenceId }) => sequenceId))]),
        sql`${sequenceVersions.definition} @? '$.steps[*].variants'`,
      ),
    )
    .orderBy(sequenceVersions.version);
  return new Map(
    ofSteps.map(({ id, sequenceId, stepId, shares, startedAt, endedAt }) => {
      const having = versions.flatMap((version) => {
        const step = version.sequenceId === sequenceId ? version.definition.steps.find((one) => one.id === stepId) : undefined;
        const { variants } = step ?? {};
        if (step === undefined || variants === undefined || !areSameArms(sharesOf(variants), shares)) return [];
        if (endedAt !== null && version.publishedAt >= endedAt) return [];
        return [{ versionId: version.id, step, variants, publishedAt: version.publishedAt }];
      });
      const atStart = having.findLastIndex(({ publishedAt }) => publishedAt <= startedAt);
      return [id, having.slice(Math.max(0, atStart))];
    }),
  );
}

/** The text of an arm on a channel. */
export interface TextOfArm {
  test: string;
  variant: string;
  parts: string[];
  /** BCP 47. */
  language: string;
}

/** Why the texts of a test are not compared. */
export type NoTexts = 'changed_text' | 'no_text' | 'other_difference' | 'same_text' | 'written_by_model';

/** The texts that tests compared on one channel, as people got them. */
export async function readTextsOfTests(
  tx: Tx,
  tests: readonly ExperimentRow[],
  channel: Channel,
): Promise<{ texts: TextOfArm[]; without: { test: string; why: NoTexts }[] }> {
  const texts: TextOfArm[] = [];
  const without: { test: string; why: NoTexts }[] = [];
  const ofCampaigns = tests.filter((test) => test.scripts !== null && test.channel === channel);
  const stored =
    ofCampaigns.length === 0 ? [] : await tx.select({ id: scripts.id, content: scripts.content, changedAt: scripts.changedAt }).from(scripts);
  for (const { id, scripts: arms, startedAt, endedAt } of ofCampaigns) {
    const own = Object.entries(arms ?? {}).map(([variant, script]) => ({ variant, script: stored.find((one) => one.id === script) }));
    const until = endedAt ?? Number.POSITIVE_INFINITY;
    if (own.some(({ script }) => script !== undefined && script.changedAt > startedAt && script.changedAt < until))
      without.push({ test: id, why: 'changed_text' });
    else
      keep(
        id,
        own.map(({ variant, script }) => ({ variant, compiled: script?.content[copyNameOf(scriptContent, channel)] })),
      );
  }
  const steps = await readTestedSteps(tx, tests);
  const onChannel = [...steps].flatMap(([test, versions]) =>
    versions.some(({ step }) => step.channels.includes(channel)) ? [{ test, versions }] : [],
  );
  const wanted = onChannel.flatMap(({ versions }) =>
    versions.flatMap(({ versionId, variants }) => variants.map(({ content }) => ({ versionId, name: copyNameOf(content, channel) }))),
  );
  const contents = await readContents(tx, wanted);
  for (const { test, versions } of onChannel) {
    const forms = versions.flatMap(({ step }) => formsOf(step));
    if (forms.some(({ model }) => model !== undefined)) {
      without.push({ test, why: 'written_by_model' });
      continue;
    }
    // Where more than the words differs, the words are not what made the difference.
    if (new Set(forms.map(({ channels: by, offer }) => JSON.stringify([by, offer ?? null]))).size > 1) {
      without.push({ test, why: 'other_difference' });
      continue;
    }
    const [latest, ...others] = versions
      .map(({ versionId, variants }) =>
        variants.map(({ id, content }) => ({ variant: id, compiled: contents.get(`${versionId} ${copyNameOf(content, channel)}`) })),
      )
      .toReversed();
    if (latest === undefined) continue;
    const wordsOf = (arms: typeof latest) =>
      JSON.stringify(arms.toSorted((a, b) => a.variant.localeCompare(b.variant)).map(({ variant, compiled }) => [variant, partsOfText(compiled)]));
    if (others.some((arms) => wordsOf(arms) !== wordsOf(latest))) without.push({ test, why: 'changed_text' });
    else keep(test, latest);
  }
  return { texts, without };

  function keep(test: string, arms: readonly { variant: string; compiled: unknown }[]): void {
    const read = arms.map(({ variant, compiled }) => ({ test, variant, parts: partsOfText(compiled), language: languageOfText(compiled) }));
    if (read.some(({ parts }) => parts.length === 0)) without.push({ test, why: 'no_text' });
    else if (new Set(read.map(({ parts }) => parts.join('\n'))).size === 1) without.push({ test, why: 'same_text' });
    else texts.push(...read);
  }
}

/** Single texts of versions, by `<version> <name>`: a version’s texts together may be large. */
async function readContents(tx: Tx, wanted: readonly { versionId: string; name: string }[]): Promise<Map<string, unknown>> {
  if (wanted.length === 0) return new Map();
  const { rows } = await tx.execute<{ id: string; name: string; compiled: unknown }>(sql`
    select v.id, w.name, v.content -> w.name as compiled
    from (select distinct * from json_to_recordset(${JSON.stringify(wanted)}::json) as r("versionId" uuid, name text)) w
      join sequence_versions v on v.id = w."versionId"`);
  return new Map(rows.map(({ id, name, compiled }) => [`${id} ${name}`, compiled]));
}

/** The channels on which any test compares texts. */
export async function channelsOfTests(tx: Tx): Promise<Channel[]> {
  const { rows } = await tx.execute<{ channel: string }>(sql`
    select distinct c.channel from (
      select jsonb_array_elements_text(s.step -> 'channels') as channel
      from experiments x join sequence_versions v on v.tenant_id = x.tenant_id and v.sequence_id = x.sequence_id
        cross join lateral jsonb_path_query(v.definition, '$.steps[*] ? (exists(@.variants))') as s(step)
      where s.step ->> 'id' = x.step_id
      union all
      select ${experiments.channel} from ${experiments} where ${isNotNull(experiments.channel)}) c
    order by 1`);
  return rows.map(({ channel }) => channel).filter((channel) => isChannel(channel));
}
