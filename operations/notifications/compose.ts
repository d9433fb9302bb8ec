import { and, desc, eq, isNull } from 'drizzle-orm';
import { isTemplateFault, renderNotification, type RenderedNotification } from '../../content/notifications/render.ts';
import { type NotificationText, usualText } from '../../content/notifications/usual.ts';
import { notificationView, type TaskFacts } from '../../content/notifications/view.ts';
import type { Tx } from '../../db/client.ts';
import { behaviours, contactIdentities, contacts, notificationTemplates, subjects } from '../../db/schema/index.ts';
import type { NotificationChannel } from '../../domain/notifications/channels.ts';
import { type TaskAction, taskActions } from '../../domain/notifications/links.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { readTimeline } from '../read/timeline.ts';
import type { TaskRow } from '../tasks.ts';
import type { NotificationMessage } from './outlets/index.ts';

/** A template for every kind without its own. */
export const anyKind = '*';

/** The text of a kind on a channel: the store's own, the store's for any kind, or the usual. */
export async function textFor(tx: Tx, kind: string, channel: NotificationChannel): Promise<NotificationText & { isOwn: boolean }> {
  const rows = await tx
    .select()
    .from(notificationTemplates)
    .where(and(eq(notificationTemplates.channel, channel), isNull(notificationTemplates.removedAt)));
  const own = rows.find((row) => row.kind === kind) ?? rows.find((row) => row.kind === anyKind);
  return own === undefined ? { ...usualText(kind, channel), isOwn: false } : { subject: own.subject, body: own.body, isOwn: true };
}

/** What is known of a task's person now: it is stored with no notification, so that an erasure leaves nothing behind. */
export async function factsOf(
  deps: Pick<Deps, 'db' | 'subjects' | 'clock'>,
  task: TaskRow,
  settings: TenantSettings,
  cause: TaskFacts['cause'],
): Promise<TaskFacts> {
  const { tenantId, subjectId } = task;
  const contactId = await deps.db.withTenant(tenantId, async (tx) => {
    if (subjectId === null) return null;
    const [subject] = await tx.select({ contactId: subjects.contactId }).from(subjects).where(eq(subjects.id, subjectId));
    return subject?.contactId ?? null;
  });
  const person = contactId === null ? { name: null, email: null, phone: null } : await deps.db.withTenant(tenantId, (tx) => personOf(tx, contactId));
  return {
    ...{ kind: task.kind, cause, owner: task.owner, late: task.late, dueAtMs: task.dueAt, nowMs: deps.clock.nowMs() },
    ...{ recommendation: task.recommendation, data: task.data, person },
    history: await historyOf(deps, tenantId, subjectId, contactId),
    store: { name: settings.storeName, timeZone: settings.timeZone, locale: settings.locale },
  };
}

async function personOf(tx: Tx, contactId: string): Promise<TaskFacts['person']> {
  const [contact] = await tx.select({ first: contacts.firstName, last: contacts.lastName }).from(contacts).where(eq(contacts.id, contactId));
  const held = await tx
    .select({ kind: contactIdentities.kind, value: contactIdentities.value })
    .from(contactIdentities)
    .where(eq(contactIdentities.contactId, contactId))
    .orderBy(desc(contactIdentities.id));
  const latest = (kind: string) => held.find((one) => one.kind === kind)?.value ?? null;
  const name = [contact?.first, contact?.last].filter((part) => part != null).join(' ');
  return { name: name === '' ? null : name, email: latest('email'), phone: latest('phone') };
}

const mostHistory = 5;
/** Of these a colleague learns something; decisions and what providers report are for whoever looks into it. */
const toldKinds: ReadonlySet<string> = new Set(['event', 'enrollment', 'order', 'consent']);

/** What an account did itself, in words. */
const behaviourWords: Readonly<Record<(typeof behaviours.$inferSelect)['kind'], string>> = {
  visit: 'Visited the store.',
  order: 'Placed an order.',
  message: 'Wrote a message.',
  open: 'Opened a message.',
  call: 'Had a call.',
  support: 'Turned to the support.',
  own: 'Did something that the store’s own code reports.',
};

async function historyOf(
  deps: Pick<Deps, 'db' | 'subjects'>,
  tenantId: string,
  subjectId: string | null,
  contactId: string | null,
): Promise<TaskFacts['history']> {
  const page = contactId === null ? null : await readTimeline(deps, tenantId, contactId, { kind: null, limit: 60, after: null });
  const recorded = (page?.items ?? []).filter(({ kind, sentence }) => toldKinds.has(kind) && sentence !== '');
  const did =
    subjectId === null
      ? []
      : await deps.db.withTenant(tenantId, (tx) =>
          tx
            .select({ kind: behaviours.kind, atMs: behaviours.occurredAt })
            .from(behaviours)
            .where(eq(behaviours.subjectId, subjectId))
            .orderBy(desc(behaviours.occurredAt))
            .limit(mostHistory),
        );
  return [...recorded, ...did.map(({ kind, atMs }) => ({ atMs, sentence: behaviourWords[kind] }))]
    .toSorted((a, b) => b.atMs - a.atMs)
    .slice(0, mostHistory)
    .map(({ atMs, sentence }) => ({ atMs, sentence }));
}

/** Rendered; where a stored template fails after all, the usual text goes out, and the log says so. */
export function renderFor({ log }: Pick<Deps, 'log'>, channel: NotificationChannel, text: NotificationText, facts: TaskFacts): RenderedNotification {
  const view = notificationView(facts);
  try {
    return renderNotification(channel, text, view);
  } catch (error) {
    if (!isTemplateFault(error)) throw error;
    log.warn({ kind: facts.kind, channel, err: error }, 'a template for notifications could not be used: the usual text goes out');
    return renderNotification(channel, usualText(facts.kind, channel), view);
  }
}

/** Where the links of a notification lead. */
export function linksOf(
  { links, publicUrl }: Pick<Deps, 'links' | 'publicUrl'>,
  tenantId: string,
  notificationId: string,
): NotificationMessage['links'] {
  const sign = (purpose: 'task' | `task ${TaskAction}`) => links.sign({ purpose, tenantId, messageId: notificationId });
  const [accept, reassign, snooze, resolve] = taskActions.map((action) => `${publicUrl}/t/${action}/${sign(`task ${action}`)}`);
  return { task: `${publicUrl}/t/${sign('task')}`, accept: accept ?? '', reassign: reassign ?? '', snooze: snooze ?? '', resolve: resolve ?? '' };
}

/** A task as programs read it, as in the API. Personal data. */
export const taskForPrograms = ({ id, kind, owner, dueAt, recommendation, subjectId, data }: TaskRow): Record<string, unknown> => ({
  ...{ id, kind, owner, due_at: new Date(dueAt).toISOString(), recommendation, lead: subjectId, data },
});
