import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { recoveryWorkflowId } from '../../workflows/contract.ts';
import type { Mail } from '../helpers/smtp-server.ts';
import type { Cart } from './carts.ts';
import type { BuildName } from './installation.ts';

export interface Ledger {
  /** How many migrations the database has. */
  migrations(): Promise<number>;
  /** How many enrollments have not ended. */
  open(): Promise<number>;
  /** What became of the carts: by Postgres, by Temporal and by the mail server. */
  judge(carts: Cart[], mails: Mail[]): Promise<{ lines: string[]; faults: string[] }>;
  close(): Promise<void>;
}

interface Row {
  cart: string;
  store: string;
  sequence: string;
  id: string;
  version: number;
  status: string;
  stopReason: string | null;
  sent: number;
  /** Why steps were left out. */
  skipped: string[];
}

/** What a busy machine does to people whose days are minutes: steps come too late to be sent, or too many at once, or the sequence is over by its age. */
const lateness = ['too_old', 'capped', 'expired'];
/** Steps with an email, in a sequence that nothing ends. */
const emailSteps = 4;

/** @param builds - of the workers, by their process ids */
export async function openLedger(databaseUrl: string, temporalAddress: string, builds: Map<string, BuildName>): Promise<Ledger> {
  const owner = new pg.Client({ connectionString: databaseUrl });
  await owner.connect();
  const connection = await Connection.connect({ address: temporalAddress });
  const temporal = new Client({ connection });
  const one = async (query: string) => Number((await owner.query<{ n: string }>(query)).rows[0]?.n);

  /** The builds whose workers worked on a workflow, the workflow tasks that failed, and how it ended. */
  async function historyOf(workflowId: string) {
    const { events } = await temporal.workflow.getHandle(workflowId).fetchHistory();
    const workers = new Set((events ?? []).flatMap((e) => builds.get(e.workflowTaskStartedEventAttributes?.identity?.split('@')[0] ?? '') ?? []));
    return {
      workers: [...workers].toSorted().join(' + '),
      // A signal that comes while a worker closes the workflow is no failure: Temporal asks again.
      failed: (events ?? [])
        .flatMap((e) => e.workflowTaskFailedEventAttributes?.failure?.message ?? [])
        .filter((said) => said !== 'UnhandledCommand'),
      completed: events?.at(-1)?.workflowExecutionCompletedEventAttributes != null,
    };
  }

  return {
    migrations: () => one('select count(*) as n from drizzle.__drizzle_migrations'),
    open: () => one('select count(*) as n from enrollments where ended_at is null'),
    async judge(carts, mails) {
      const faults: string[] = [];
      const { rows } = await owner.query<Row>(
        `select distinct k.value as cart, t.slug as store, s.slug as sequence, e.id, v.version, e.status, e.stop_reason as "stopReason",
                (select count(*)::int from messages m where m.enrollment_id = e.id and m.state = 'sent') as sent,
                array(select m.skip_reason from messages m where m.enrollment_id = e.id and m.state = 'skipped' and m.step_id like 'email%') as skipped
         from enrollments e join subject_keys k on k.subject_id = e.subject_id join tenants t on t.id = e.tenant_id
         join sequence_versions v on v.id = e.version_id join sequences s on s.id = v.sequence_id`,
      );
      const groups = new Map<string, { carts: number; versions: Set<number>; workers: Map<string, number>; mails: number; late: number }>();
      for (const cart of carts) {
        const mine = rows.filter((row) => row.cart === cart.name);
        const theirs = mails.filter((mail) => mail.envelope.to.includes(cart.email));
        const steps = theirs.map((mail) => /\.(email_\d+h)@/.exec(mail.raw.toString())?.[1] ?? 'unknown');
        const group = groups.get(cart.phase) ?? { carts: 0, versions: new Set(), workers: new Map(), mails: 0, late: 0 };
        groups.set(cart.phase, group);
        group.carts += 1;
        group.mails += theirs.length;
        const [row] = mine;
        if (mine.length !== 1 || row === undefined) {
          faults.push(`${cart.name} has ${mine.length} enrollments`);
          continue;
        }
        group.versions.add(row.version);
        if (new Set(steps).size !== steps.length) faults.push(`${cart.name} got an email twice: ${steps.join(', ')}`);
        if (row.sent !== theirs.length) faults.push(`${cart.name}: the ledger has ${row.sent} emails, the mail server ${theirs.length}`);
        const { endedAtMs } = cart;
        const late = row.skipped.filter((reason) => lateness.includes(reason)).length;
        const isOver = lateness.includes(row.stopReason ?? '');
        if (cart.end === null && steps.length + late !== emailSteps && !isOver)
          faults.push(`${cart.name} got ${steps.length} of ${emailSteps} emails: ${[row.status, row.stopReason, ...row.skipped].join(' ')}`);
        if (late > 0 || isOver) group.late += 1;
        if (cart.end !== null && endedAtMs === null) faults.push(`${cart.name}: ${cart.end} was not taken`);
        if (endedAtMs !== null && theirs.some((mail) => mail.atMs > endedAtMs)) faults.push(`${cart.name} got an email after ${cart.end}`);
        const history = await historyOf(recoveryWorkflowId(row.store, row.sequence, row.id));
        group.workers.set(history.workers, (group.workers.get(history.workers) ?? 0) + 1);
        for (const message of new Set(history.failed)) faults.push(`${cart.name}: a workflow task failed: ${message}`);
        if (!history.completed) faults.push(`${cart.name}: its workflow has not completed`);
      }
      const lines = [...groups].map(([phase, { carts: count, versions, workers, mails: sent, late }]) => {
        const by = [...workers].map(([names, n]) => `${n} by ${names || 'nobody'}`).join(', ');
        return `${phase.padEnd(9)} ${count} carts, version ${[...versions].toSorted((a, b) => a - b).join(' or ')}, ${sent} emails${late === 0 ? '' : `, ${late} late`}; ${by}`;
      });
      return { lines, faults };
    },
    async close() {
      await owner.end();
      await connection.close();
    },
  };
}
