import { sql } from 'drizzle-orm';
import type { Deps } from '../deps.ts';
import { armPieces } from '../read/arm-sums.ts';
import { courseSums, startOfDay } from '../read/course-sums.ts';

/** Where the people are whose steps a cap acted on. */
const anyStep = { kind: 'cap', scopeId: '00000000-0000-0000-0000-000000000000', stepId: '' } as const;

/** How often the caps on messages to one person acted, on one channel. */
export interface CapFigures {
  channel: string;
  /** Steps that were first decided about in the window, each once. */
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
  const fromMs = startOfDay(toMs - days * 86_400_000);
  const from = new Date(fromMs).toISOString();
  return deps.db.withTenant(tenantId, async (tx) => {
    const { rows } = await tx.execute<{ channel: string; steps: number; put_off: number; left_out: number; acted: number; people: number }>(sql`
      with steps as (
        select channel, sum(cases)::int as steps, sum(executed)::int as put_off, sum(failed)::int as left_out, sum(dropped)::int as acted
        from ${courseSums(tenantId, { topics: ['cap'], sinceMs: fromMs })} f group by 1),
      people as (
        select p.variant as channel, sum(p.people)::int as people from ${armPieces(anyStep, sql`array[${from}::timestamptz]`)} p where p.at >= ${from}::timestamptz group by 1)
      select coalesce(nullif(s.channel, ''), 'none') as channel, s.steps, s.put_off, s.left_out, s.acted, coalesce(p.people, 0) as people
      from steps s left join people p on p.channel = s.channel where s.steps <> 0 order by 1`);
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
