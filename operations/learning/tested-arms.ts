import { and, eq, inArray, isNotNull, sql } from 'drizzle-orm';
import { copyNameOf, languageOfText } from '../../content/channels/index.ts';
import { partsOfText } from '../../content/parts-of-text.ts';
import type { Tx } from '../../db/client.ts';
import { experiments, scripts, sequences, sequenceVersions } from '../../db/schema/index.ts';
import { type Channel, isChannel } from '../../domain/channels/index.ts';
import { areSameArms } from '../../domain/experiments/take-over.ts';
import { sharesOf } from '../../domain/experiments/variant.ts';
import type { StepDefinition, StepVariant } from '../../domain/sequence/definition.ts';
import { formsOf } from '../../domain/sequence/step-of-variant.ts';
import { scriptContent } from '../../content/step-texts.ts';
import { isStepTest } from '../experiments/standing.ts';

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

/** @param timeScale - how many times faster the tenant’s time runs */
export async function readTestedArms(tx: Tx, timeScale: number): Promise<TestedArms[]> {
  const { rows } = await tx.execute<CountRow>(sql`
    with tests as (
      select x.id, x.sequence_id, x.step_id, x.shares, x.started_at, x.ended_at,
        make_interval(secs => coalesce(x.window_ms, (v.definition -> 'goal' ->> 'withinMs')::float8) / 1000 / ${timeScale}::float8) as within
      from experiments x
        left join sequences s on s.tenant_id = x.tenant_id and s.id = x.sequence_id
        left join sequence_versions v on v.tenant_id = s.tenant_id and v.id = s.current_version_id),
    firsts as (
      -- Of several assignments of one person, the first counts; whoever was in an earlier test of a step is in no later one.
      select distinct on (a.sequence_id, a.step_id, c.person_id) a.sequence_id, a.step_id, c.person_id, a.variant, a.shares, a.assigned_at
      from variant_assignments a join contacts c on c.tenant_id = a.tenant_id and c.id = a.contact_id
      order by a.sequence_id, a.step_id, c.person_id, a.assigned_at, a.id),
    of_campaigns as (
      select distinct on (a.experiment_id, c.person_id) a.experiment_id, c.person_id, a.variant, a.assigned_at
      from experiment_assignments a join contacts c on c.tenant_id = a.tenant_id and c.id = a.contact_id
      order by a.experiment_id, c.person_id, a.assigned_at, a.id),
    assigned as materialized (
      select t.id as test, f.person_id, f.variant, f.assigned_at, f.assigned_at + t.within as ends_at
      from tests t join firsts f on f.sequence_id = t.sequence_id and f.step_id = t.step_id and f.shares = t.shares
        and f.assigned_at >= t.started_at and (t.ended_at is null or f.assigned_at < t.ended_at)
      union all
      select t.id, f.person_id, f.variant, f.assigned_at, f.assigned_at + t.within
      from tests t join of_campaigns f on f.experiment_id = t.id and (t.ended_at is null or f.assigned_at < t.ended_at)),
    bought as (
      select distinct a.test, a.person_id
      from assigned a
        join contacts c on c.person_id = a.person_id
        join conversions o on o.tenant_id = c.tenant_id and o.contact_id = c.id
      where o.no_revenue is null and o.reversed_at is null and o.placed_at > a.assigned_at and o.placed_at <= a.ends_at)
    select a.test, a.variant, count(*)::int as assigned, (count(*) filter (where a.ends_at <= clock_timestamp()))::int as people,
      (count(*) filter (where a.ends_at <= clock_timestamp() and b.person_id is not null))::int as converted
    from assigned a left join bought b on b.test = a.test and b.person_id = a.person_id
    group by 1, 2`);
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
