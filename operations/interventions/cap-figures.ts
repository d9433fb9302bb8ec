import { sql } from 'drizzle-orm';
import type { Deps } from '../deps.ts';

/** How often the caps on messages to one person acted, on one channel. */
export interface CapFigures {
  channel: string;
  /** Steps of the window that were decided about, each once. */
  steps: number;
  /** Of these, steps that a cap put off, whatever became of them. */
  putOff: number;
  /** Of these, steps that a cap kept from going out at all. */
  leftOut: number;
  /** That a cap put off or left out. */
  acted: number;
  /** People whose steps a cap acted on. */
  people: number;
}

/**
 * How often caps act, by the first channel of each step. A step that was put off several times counts once.
 * Source: docs/rules.md#rule-19
 */
export function readCapFigures(
  deps: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  days: number,
): Promise<{ fromMs: number; toMs: number; channels: CapFigures[] }> {
  const toMs = deps.clock.nowMs();
  const fromMs = toMs - days * 86_400_000;
  return deps.db.withTenant(tenantId, async (tx) => {
    const { rows } = await tx.execute<{ channel: string; steps: number; put_off: number; left_out: number; acted: number; people: number }>(sql`
      with decided as (
        select d.enrollment_id, d.step_id, d.version_id, bool_or(d.reason = 'cap' and d.verdict = 'defer') as put_off,
          bool_or(d.reason = 'capped' and d.verdict = 'skip') as left_out
        from decisions d where d.at >= ${new Date(fromMs).toISOString()}::timestamptz
        group by 1, 2, 3),
      steps as (
        select d.*, e.contact_id, (select s -> 'channels' ->> 0 from jsonb_array_elements(v.definition -> 'steps') s where s ->> 'id' = d.step_id limit 1) as channel
        from decided d join enrollments e on e.id = d.enrollment_id join sequence_versions v on v.id = d.version_id)
      select coalesce(channel, 'none') as channel, count(*)::int as steps, (count(*) filter (where put_off))::int as put_off,
        (count(*) filter (where left_out))::int as left_out, (count(*) filter (where put_off or left_out))::int as acted,
        (count(distinct c.person_id) filter (where put_off or left_out))::int as people
      from steps s join contacts c on c.id = s.contact_id
      group by 1 order by 1`);
    const channels = rows.map(({ channel, steps, put_off: putOff, left_out: leftOut, acted, people }) => ({
      channel,
      steps,
      putOff,
      leftOut,
      acted,
      people,
    }));
    return { fromMs, toMs, channels };
  });
}
