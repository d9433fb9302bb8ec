import { request } from 'node:http';
import pg from 'pg';
import { z } from 'zod';
import { lazyClient } from '../../temporal/connect.ts';
import { recoveryWorkflowType } from '../../workflows/contract.ts';
import type { Installation } from './installation.ts';
import type { RunClock } from './run-clock.ts';
import { channelsOf, type Store, stores } from './stores.ts';
import type { EnrollmentEnd, Remains } from './witnessed.ts';

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const explanation = z.object({
  enrollment: z.object({
    id: z.string(),
    status: z.string(),
    stop_reason: z.string().nullable(),
    enrolled_at: time,
    activated_at: time.nullable(),
    ended_at: time.nullable(),
    steps: z.array(
      z.object({
        id: z.string(),
        channels: z.array(z.string()),
        /** null: a reaction to what did not happen. */
        due_at: time.nullable(),
        settled_at: time.nullable(),
        state: z.string(),
        skip_reason: z.string().nullable(),
      }),
    ),
  }),
  entries: z.array(
    z.object({
      kind: z.string(),
      at: time,
      step: z.string().nullable(),
      sentence: z.string(),
      claimed_at: time.nullable().optional(),
      provider_response: z.string().nullable().optional(),
    }),
  ),
});

/**
 * Every enrollment with its story, by the REST API. Which enrollment is which cart's or lead's is asked of Postgres: the API finds an ended one by
 * its own id only.
 */
export async function readEnrollments(installation: Installation, clock: RunClock): Promise<EnrollmentEnd[]> {
  const rows = await query<{ subject: string; id: string; tenant_id: string }>(
    installation.databaseUrl,
    `select k.value as subject, e.id, e.tenant_id from enrollments e
     join subject_keys k on k.tenant_id = e.tenant_id and k.subject_id = e.subject_id
     where k.value ~ '^(cart|lead)-[0-9]+-[ab]$' order by e.id`,
  );
  const ends: EnrollmentEnd[] = [];
  const { apiPorts, access } = installation;
  for (const [index, { subject, id, tenant_id }] of rows.entries()) {
    const store = stores.find((s) => access[s].tenantId === tenant_id);
    if (store === undefined) throw new Error(`enrollment ${id} is of a tenant that nobody made`);
    const text = await get(apiPorts[index % apiPorts.length] ?? 0, `/api/enrollments/${id}/explain`, access[store].apiKey);
    ends.push({ store, subject, ...toEnd(explanation.parse(JSON.parse(text)), store, clock) });
  }
  return ends;
}

function toEnd({ enrollment: e, entries }: z.output<typeof explanation>, store: Store, clock: RunClock): Omit<EnrollmentEnd, 'store' | 'subject'> {
  const runMs = (wallMs: number | null | undefined) => (wallMs == null ? null : clock.ofWallMs(wallMs));
  return {
    id: e.id,
    status: e.status,
    stopReason: e.stop_reason,
    enrolledMs: clock.ofWallMs(e.enrolled_at),
    activatedMs: runMs(e.activated_at),
    endedMs: runMs(e.ended_at),
    steps: e.steps.flatMap((step) => {
      if (step.due_at === null) return [];
      const message = entries.find((entry) => entry.kind === 'message' && entry.step === step.id);
      return [
        {
          id: step.id,
          sends: step.channels.some((channel) => channelsOf[store].includes(channel)),
          state: step.state,
          skipReason: step.skip_reason,
          dueMs: clock.ofWallMs(step.due_at),
          claimedMs: runMs(message?.claimed_at),
          settledMs: runMs(step.settled_at),
          response: message?.provider_response ?? null,
        },
      ];
    }),
    story: entries.map((entry) => {
      const answer = entry.provider_response == null ? '' : ` [${entry.provider_response}]`;
      return `${(clock.ofWallMs(entry.at) / 1_000).toFixed(3).padStart(9)}  ${entry.kind}${entry.step === null ? '' : ` ${entry.step}`}: ${entry.sentence}${answer}`;
    }),
  };
}

type Servers = Pick<Installation, 'databaseUrl' | 'temporalAddress'>;

/** Whether nothing waits any more, in Postgres and in Temporal. */
export async function allHasEnded(servers: Servers): Promise<boolean> {
  if (Object.values(await readRows(servers)).some((n) => n > 0)) return false;
  return withTemporal(servers, async ({ workflow }) => (await workflow.count(`${ofRecovery} and ExecutionStatus = 'Running'`)).count === 0);
}

/** What is left, row by row and workflow by workflow. */
export async function readRemains(servers: Servers): Promise<Remains> {
  const rows = await readRows(servers);
  return withTemporal(servers, async ({ workflow }) => {
    const workflows: Record<string, number> = {};
    const runs = new Map<string, number>();
    for await (const { workflowId, status } of workflow.list({ query: ofRecovery })) {
      workflows[status.name] = (workflows[status.name] ?? 0) + 1;
      runs.set(workflowId, (runs.get(workflowId) ?? 0) + 1);
    }
    return { rows, workflows, workflowsRunAgain: [...runs.values()].filter((n) => n > 1).length };
  });
}

const ofRecovery = `WorkflowType = '${recoveryWorkflowType}'`;

async function withTemporal<T>(servers: Servers, work: (client: ReturnType<typeof lazyClient>) => Promise<T>): Promise<T> {
  const client = lazyClient({ address: servers.temporalAddress, namespace: 'default', apiKey: null, tls: false });
  try {
    return await work(client);
  } finally {
    await client.connection.close();
  }
}

async function readRows(servers: Servers): Promise<Record<string, number>> {
  const [rows] = await query<Record<string, number>>(
    servers.databaseUrl,
    `select (select count(*)::int from outbox) as "outbox",
            (select count(*)::int from inbox where state = 'pending') as "inbox pending",
            (select count(*)::int from quarantine) as "quarantine",
            (select count(*)::int from messages where live) as "messages live",
            (select count(*)::int from messages where state = 'claimed') as "messages claimed",
            (select count(*)::int from enrollments where ended_at is null) as "enrollments open"`,
  );
  return rows ?? {};
}

async function query<R extends pg.QueryResultRow>(databaseUrl: string, text: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'observer' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<R>(text)).rows;
  } finally {
    await client.end();
  }
}

function get(port: number, path: string, apiKey: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const req = request({ agent: false, host: '127.0.0.1', port, path, headers: { authorization: `Bearer ${apiKey}` }, timeout: 10_000 }, (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      res.on('end', () =>
        res.statusCode === 200 ? resolve(body) : reject(new Error(`GET ${path} answered ${res.statusCode}: ${body.slice(0, 300)}`)),
      );
      res.on('error', reject);
    });
    req.on('timeout', () => req.destroy(new Error(`GET ${path}: no answer`)));
    req.on('error', reject);
    req.end();
  });
}
