import { and, eq, isNull } from 'drizzle-orm';
import { renderPlainEmail } from '../../content/notifications/email.ts';
import { faultsOfTemplate, renderNotification, sampleView, type TemplateFault } from '../../content/notifications/render.ts';
import { type NotificationText, usualText } from '../../content/notifications/usual.ts';
import { namedKinds, notificationView, taskTitle } from '../../content/notifications/view.ts';
import { notificationTemplates, tasks, tenants } from '../../db/schema/index.ts';
import { notificationChannels, type NotificationChannel } from '../../domain/notifications/channels.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { anyKind, factsOf } from './compose.ts';
import { actionLabels } from './outlets/labels.ts';

export type { TemplateFault } from '../../content/notifications/render.ts';
export { anyKind } from './compose.ts';

/** What the notifications of a kind say on a channel. */
export interface TemplateView extends NotificationText {
  kind: string;
  channel: NotificationChannel;
  /** Whether the store has written it. */
  isOwn: boolean;
  /** null: it is the usual one. */
  updatedAtMs: number | null;
}

/** Of every kind that has a name, and of those that the store has written for: its own, else the usual one. */
export function listTemplates({ db }: Pick<Deps, 'db'>, tenantId: string): Promise<TemplateView[]> {
  return db.withTenant(tenantId, async (tx) => {
    const own = await tx.select().from(notificationTemplates).where(isNull(notificationTemplates.removedAt));
    const kinds = [...new Set([anyKind, ...namedKinds, ...own.map(({ kind }) => kind)])];
    return kinds.flatMap((kind) =>
      notificationChannels.map((channel): TemplateView => {
        const row = own.find((one) => one.kind === kind && one.channel === channel);
        const inherited = row ?? own.find((one) => one.kind === anyKind && one.channel === channel);
        if (inherited === undefined) return { kind, channel, ...usualText(kind, channel), isOwn: false, updatedAtMs: null };
        const { subject, body, updatedAt } = inherited;
        return { kind, channel, subject, body, isOwn: row !== undefined, updatedAtMs: updatedAt };
      }),
    );
  });
}

export type TemplatePut = { kind: 'stored'; template: TemplateView } | { kind: 'invalid'; faults: TemplateFault[] };

/** Nothing is stored that could not be rendered. */
export async function putTemplate(
  deps: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  { kind, channel, ...text }: NotificationText & { kind: string; channel: NotificationChannel },
  by: string,
): Promise<TemplatePut> {
  const faults = faultsOfTemplate(channel, text);
  if (faults.length > 0) return { kind: 'invalid', faults };
  return deps.db.withTenant(tenantId, async (tx): Promise<TemplatePut> => {
    const stored = { ...text, updatedAt: deps.clock.nowMs(), removedAt: null };
    await tx
      .insert(notificationTemplates)
      .values({ tenantId, kind, channel, ...stored })
      .onConflictDoUpdate({ target: [notificationTemplates.tenantId, notificationTemplates.kind, notificationTemplates.channel], set: stored });
    await recordAudit(tx, { tenantId, actor: by, action: 'notification_template.put', subject: null, data: { kind, channel } });
    return { kind: 'stored', template: { kind, channel, ...text, isOwn: true, updatedAtMs: stored.updatedAt } };
  });
}

/** Back to the usual text. @returns false: the store has none of its own */
export function removeTemplate(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  { kind, channel }: { kind: string; channel: NotificationChannel },
  by: string,
): Promise<boolean> {
  return db.withTenant(tenantId, async (tx) => {
    const gone = await tx
      .update(notificationTemplates)
      .set({ removedAt: clock.nowMs() })
      .where(and(eq(notificationTemplates.kind, kind), eq(notificationTemplates.channel, channel), isNull(notificationTemplates.removedAt)))
      .returning({ kind: notificationTemplates.kind });
    if (gone.length === 0) return false;
    await recordAudit(tx, { tenantId, actor: by, action: 'notification_template.remove', subject: null, data: { kind, channel } });
    return true;
  });
}

export interface TemplatePreview {
  subject: string | null;
  body: string;
  /** Of an email, as it arrives; null: the channel has none. Its links lead nowhere. */
  html: string | null;
}

/**
 * A text as it would go out.
 * @param wish.taskId - of a task of the store's; null: a sample
 * @param wish.text - null: the one that is used now
 * @returns null where there is no such task
 */
export async function previewTemplate(
  deps: Pick<Deps, 'db' | 'subjects' | 'clock' | 'publicUrl'>,
  tenantId: string,
  { kind, channel, taskId, text }: { kind: string; channel: NotificationChannel; taskId: string | null; text: NotificationText | null },
): Promise<{ kind: 'shown'; preview: TemplatePreview } | { kind: 'invalid'; faults: TemplateFault[] } | null> {
  const faults = text === null ? [] : faultsOfTemplate(channel, text);
  if (faults.length > 0) return { kind: 'invalid', faults };
  const { settings, task } = await deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId));
    const [found] = taskId === null ? [] : await tx.select().from(tasks).where(eq(tasks.id, taskId));
    return { settings: settingsOf(tenant ?? { settings: {} }), task: found };
  });
  if (taskId !== null && task === undefined) return null;
  const used = text ?? (await listTemplates(deps, tenantId)).find((one) => one.kind === kind && one.channel === channel) ?? usualText(kind, channel);
  const view =
    task === undefined
      ? { ...sampleView, task: { ...sampleView.task, kind, title: taskTitle(kind) }, store: { name: settings.storeName } }
      : notificationView(await factsOf(deps, task, settings, 'opened'));
  const { subject, body } = renderNotification(channel, { subject: used.subject, body: used.body }, view);
  const buttons = actionLabels.map(([, label]) => ({ label, url: `${deps.publicUrl}/#preview` }));
  const { storeName, brandColor } = settings;
  const html =
    channel === 'email'
      ? renderPlainEmail({
          subject: subject ?? '',
          body,
          buttons,
          footer: 'This is a preview: its buttons do nothing.',
          storeName,
          color: brandColor,
        }).html
      : null;
  return { kind: 'shown', preview: { subject, body, html } };
}
