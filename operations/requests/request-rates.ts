import { sql } from 'drizzle-orm';
import type { Deps } from '../deps.ts';

/** How a caller stands after a request. */
export interface RateState {
  allowed: boolean;
  /** Requests in a minute. */
  most: number;
  /** What is left of them, as far as this process knows. */
  left: number;
  secondsLeft: number;
}

/** One caller's minute in this process. */
interface Minute {
  endsMs: number;
  most: number;
  /** Reserved here and not used. */
  granted: number;
  /** Not reserved by any process when this one last asked. */
  unreserved: number;
}

/** So many callers are remembered; beyond, those whose minute is over are forgotten. */
const rememberedCallers = 10_000;

/**
 * How many requests each caller may make in a minute, over all processes of the API. A process reserves a twentieth of the minute at a time in the
 * database and spends it from memory, so the limit is never exceeded, and what a process has reserved and not used is lost for that minute.
 * Source: docs/adr/0079-rate-limits-are-reserved.md
 */
export class RequestRates {
  readonly #deps: Pick<Deps, 'db' | 'clock'>;
  readonly #minutes = new Map<string, Minute>();
  readonly #asking = new Map<string, Promise<Minute>>();

  constructor(deps: Pick<Deps, 'db' | 'clock'>) {
    this.#deps = deps;
  }

  /** Count a request. @param keyId - of the API key whose own limit holds; null: the tenant's settings say */
  async take(tenantId: string, caller: string, keyId: string | null): Promise<RateState> {
    const id = `${tenantId} ${caller}`;
    for (;;) {
      const nowMs = this.#deps.clock.monotonicMs();
      const minute = this.#minutes.get(id);
      if (minute !== undefined && minute.endsMs > nowMs && (minute.granted > 0 || minute.unreserved === 0)) {
        const allowed = minute.granted > 0;
        if (allowed) minute.granted--;
        const secondsLeft = Math.max(1, Math.ceil((minute.endsMs - nowMs) / 1_000));
        return { allowed, most: minute.most, left: minute.granted + minute.unreserved, secondsLeft };
      }
      await this.#reserve(id, tenantId, caller, keyId);
    }
  }

  /** Requests that find nothing reserved share one reservation. */
  #reserve(id: string, tenantId: string, caller: string, keyId: string | null): Promise<Minute> {
    const asking = this.#asking.get(id);
    if (asking !== undefined) return asking;
    const asked = this.#ask(tenantId, caller, keyId)
      .then((minute) => {
        this.#forgetOld();
        this.#minutes.set(id, minute);
        return minute;
      })
      .finally(() => this.#asking.delete(id));
    this.#asking.set(id, asked);
    return asked;
  }

  async #ask(tenantId: string, caller: string, keyId: string | null): Promise<Minute> {
    // Taken before the question, so that a minute never ends later here than in the database.
    const askedMs = this.#deps.clock.monotonicMs();
    const { rows } = await this.#deps.db.withTenant(tenantId, (tx) =>
      tx.execute<{ most: number; batch: number; reserved: number; left_ms: number }>(sql`
        with allowed as (
          select coalesce((select requests_per_minute from api_keys where id = ${keyId}::uuid), (settings ->> 'requestsPerMinute')::int, 6000) as most
          from tenants where id = ${tenantId}),
        asked as (
          select most, greatest(1, ceil(most / 20.0))::int as batch, extract(epoch from clock_timestamp()) as seconds from allowed),
        taken as (
          insert into request_rates as r (tenant_id, caller, minute, reserved)
          select ${tenantId}, ${caller}, floor(seconds / 60)::int, batch from asked
          on conflict (tenant_id, caller) do update set
            reserved = case when r.minute = excluded.minute then r.reserved + excluded.reserved else excluded.reserved end, minute = excluded.minute
          returning reserved)
        select most, batch, reserved, (60000 - mod(seconds, 60) * 1000)::float8 as left_ms from asked, taken`),
    );
    const [row] = rows;
    if (row === undefined) throw new Error('a request was counted for no tenant');
    const before = row.reserved - row.batch;
    return {
      endsMs: askedMs + row.left_ms,
      most: row.most,
      granted: Math.min(row.batch, Math.max(0, row.most - before)),
      unreserved: Math.max(0, row.most - row.reserved),
    };
  }

  #forgetOld(): void {
    if (this.#minutes.size < rememberedCallers) return;
    const nowMs = this.#deps.clock.monotonicMs();
    for (const [id, { endsMs }] of this.#minutes) if (endsMs <= nowMs) this.#minutes.delete(id);
  }
}
