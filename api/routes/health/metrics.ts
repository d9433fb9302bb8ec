import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { Gauge, type Registry } from 'prom-client';
import { z } from 'zod';
import type { Deps } from '../../../operations/deps.ts';

/**
 * This process's figures for Prometheus, with some that are read when asked: what waits in the outbox, in the inbox
 * and in the quarantine, how late steps are, and the pool.
 */
export const metricsRoute: FastifyPluginAsyncZod<{ deps: Pick<Deps, 'db'>; registry: Registry }> = async (app, { deps, registry }) => {
  collectBacklog(deps, registry);
  collectInbox(deps, registry);
  collectQuarantine(deps, registry);
  collectLateness(deps, registry);
  collectPool(deps, registry);
  app.get(
    '/metrics',
    {
      schema: {
        tags: ['health'],
        summary: 'Figures for Prometheus',
        description: 'Of this process; workers serve their own. No ids, no personal data. Keep it from the public at your proxy.',
        response: { 200: { description: 'Prometheus’s text format.', content: { 'text/plain': { schema: z.string() } } } },
      },
    },
    async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()),
  );
};

function collectBacklog({ db }: Pick<Deps, 'db'>, registry: Registry): void {
  // A figure that cannot be read is left out instead of keeping its last value; the others are still served.
  const read = () => db.outboxBacklog().catch(() => ({ waiting: Number.NaN, oldestMs: Number.NaN }));
  const waiting: Gauge = new Gauge({
    name: 'rekindle_outbox_waiting',
    help: 'Changes that Temporal has not been told of',
    registers: [registry],
    collect: async () => waiting.set((await read()).waiting),
  });
  const oldest: Gauge = new Gauge({
    name: 'rekindle_outbox_oldest_seconds',
    help: 'Age of the oldest change that Temporal has not been told of',
    registers: [registry],
    collect: async () => oldest.set((await read()).oldestMs / 1_000),
  });
}

function collectInbox({ db }: Pick<Deps, 'db'>, registry: Registry): void {
  const read = () => db.inboxBacklog().catch(() => ({ waiting: Number.NaN, oldestMs: Number.NaN }));
  const waiting: Gauge = new Gauge({
    name: 'rekindle_inbox_waiting',
    help: 'Deliveries that were stored first, because more came than could be applied, and are not applied yet',
    registers: [registry],
    collect: async () => waiting.set((await read()).waiting),
  });
  const oldest: Gauge = new Gauge({
    name: 'rekindle_inbox_oldest_seconds',
    help: 'Age of the oldest delivery that is stored and not applied yet',
    registers: [registry],
    collect: async () => oldest.set((await read()).oldestMs / 1_000),
  });
}

function collectQuarantine({ db }: Pick<Deps, 'db'>, registry: Registry): void {
  const open: Gauge<'may_be_stop'> = new Gauge({
    name: 'rekindle_quarantine_open',
    help: 'Deliveries that could not be read and wait in the quarantine; those that may be stops let messages go on',
    labelNames: ['may_be_stop'],
    registers: [registry],
    async collect() {
      const backlog = await db.quarantineBacklog().catch(() => ({ open: Number.NaN, mayBeStops: Number.NaN }));
      open.set({ may_be_stop: 'true' }, backlog.mayBeStops);
      open.set({ may_be_stop: 'false' }, backlog.open - backlog.mayBeStops);
    },
  });
}

function collectLateness({ db }: Pick<Deps, 'db'>, registry: Registry): void {
  const read = () => db.lateSteps(60_000).catch(() => ({ steps: Number.NaN, worstMs: Number.NaN }));
  const late: Gauge = new Gauge({
    name: 'rekindle_steps_late',
    help: 'Steps of all processes that were dispatched 5 s or more after they were due, in the last minute',
    registers: [registry],
    collect: async () => late.set((await read()).steps),
  });
  const worst: Gauge = new Gauge({
    name: 'rekindle_steps_worst_lateness_seconds',
    help: 'By how much the latest of them was late',
    registers: [registry],
    collect: async () => worst.set((await read()).worstMs / 1_000),
  });
}

function collectPool({ db }: Pick<Deps, 'db'>, registry: Registry): void {
  const pool: Gauge<'state'> = new Gauge({
    name: 'rekindle_db_connections',
    help: 'Connections of the main pool by state, and requests that wait for one',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const { total, idle, waiting } = db.stats();
      pool.set({ state: 'busy' }, total - idle);
      pool.set({ state: 'idle' }, idle);
      pool.set({ state: 'waiting' }, waiting);
    },
  });
}
