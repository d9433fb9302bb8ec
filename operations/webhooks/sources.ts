import { and, eq } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import {
  alarms,
  connections,
  enrollmentEvents,
  enrollments,
  messages,
  quarantine,
  riskAssessments,
  sequences,
  sequenceVersions,
  subjects,
  suppressions,
  tasks,
  type webhookEvents,
} from '../../db/schema/index.ts';
import { isWebhookEventType, webhookEvent, type WebhookEventType } from '../../domain/webhooks/catalogue.ts';

// What a noted row tells. The row names what happened; the tables know the rest. Whatever personal data they hold stays there.

type Data = Record<string, unknown>;

/** What an event tells, without personal data. */
export interface Told {
  type: WebhookEventType;
  /** Its own fields, as the catalogue has them. */
  data: Data;
  contactId: string | null;
  subjectId: string | null;
}

type EventRow = typeof webhookEvents.$inferSelect;
type Tell = (tx: Tx, row: EventRow, refId: string) => Promise<Told | null>;

const sources: Readonly<Record<string, Tell>> = {
  story: tellStory,
  event: tellEvent,
  test: (_tx, _row, refId) => Promise.resolve({ type: 'webhook.test', data: { endpoint_id: refId }, contactId: null, subjectId: null }),
  'suppression.added': tellSuppression,
  'suppression.lifted': tellSuppression,
  'task.opened': tellTask,
  'task.changed': tellTask,
  'task.closed': tellTask,
  'risk.band_changed': tellRisk,
  'alarm.raised': tellAlarm,
  'alarm.cleared': tellAlarm,
  'delivery.quarantined': tellQuarantine,
  'connection.refused': tellConnection,
  'connection.restored': tellConnection,
};

/**
 * What is to be told of a row. @returns null: nothing, because what it was about is gone, because another row tells it, or because a later build
 * wrote it
 * @throws ZodError where it does not fit the catalogue
 */
export async function readTold(tx: Tx, row: EventRow): Promise<Told | null> {
  const tell = Object.hasOwn(sources, row.source) ? sources[row.source] : undefined;
  const told = tell === undefined ? null : await tell(tx, row, row.refId ?? '');
  return told === null ? null : { ...told, data: webhookEvent(told.type).fields.parse(told.data) };
}

// What the event itself tells, with its source, is left out: cart.updated, lead.created, subject.reported.
const storyTypes: Readonly<Record<string, WebhookEventType>> = {
  enrolled: 'enrollment.started',
  abandoned: 'enrollment.activated',
  stopped: 'enrollment.ended',
  completed: 'enrollment.ended',
  paused: 'enrollment.paused',
  resumed: 'enrollment.resumed',
  snoozed: 'enrollment.snoozed',
  taken_over: 'enrollment.taken_over',
  released: 'enrollment.released',
  version_changed: 'enrollment.version_changed',
  send_now: 'step.requested',
  'step.skipped': 'step.skipped',
  'provider.unreachable': 'step.postponed',
  'message.sent': 'message.sent',
  'message.failed': 'message.failed',
  'message.unknown': 'message.unknown',
  'message.delivered': 'message.delivered',
  'message.opened': 'message.opened',
  'message.clicked': 'message.clicked',
  'message.click_withdrawn': 'message.click_withdrawn',
  'message.automatic': 'message.automatic_reply',
  'call.answered': 'call.answered',
  'call.not_reached': 'call.not_reached',
  'call.failed': 'call.failed',
  'popup.shown': 'popup.shown',
  'popup.closed': 'popup.closed',
  recovered: 'conversion.credited',
  order_void: 'conversion.voided',
  order_corrected: 'conversion.changed',
  order_refunded: 'conversion.changed',
  order_edited: 'conversion.changed',
  order_cancelled: 'conversion.changed',
  order_restored: 'conversion.changed',
  'person.merged': 'contact.merged',
  'person.split': 'contact.split',
};

const textOr = (value: unknown, other: string | null) => (typeof value === 'string' ? value : other);
const numberOr = (value: unknown) => (typeof value === 'number' ? value : null);
const timeOr = (value: unknown) => (typeof value === 'number' ? new Date(value).toISOString() : null);

async function tellStory(tx: Tx, _row: EventRow, refId: string): Promise<Told | null> {
  const [found] = await tx
    .select({
      type: enrollmentEvents.type,
      data: enrollmentEvents.data,
      id: enrollments.id,
      contactId: enrollments.contactId,
      subjectId: enrollments.subjectId,
      sequence: sequences.slug,
      version: sequenceVersions.version,
    })
    .from(enrollmentEvents)
    .innerJoin(enrollments, and(eq(enrollments.tenantId, enrollmentEvents.tenantId), eq(enrollments.id, enrollmentEvents.enrollmentId)))
    .innerJoin(sequences, and(eq(sequences.tenantId, enrollments.tenantId), eq(sequences.id, enrollments.sequenceId)))
    .innerJoin(sequenceVersions, and(eq(sequenceVersions.tenantId, enrollments.tenantId), eq(sequenceVersions.id, enrollments.versionId)))
    .where(eq(enrollmentEvents.id, refId));
  const type = found === undefined || !Object.hasOwn(storyTypes, found.type) ? undefined : storyTypes[found.type];
  if (found === undefined || type === undefined) return null;
  const { id, sequence, version, contactId, subjectId, data } = found;
  const step = textOr(data['step'], null);
  return {
    type,
    data: {
      enrollment: { id, sequence, version },
      ...(step === null ? {} : { step, message_id: await messageOf(tx, id, step) }),
      ...storyFields(found.type, data),
    },
    contactId,
    subjectId,
  };
}

async function messageOf(tx: Tx, enrollmentId: string, step: string): Promise<string | null> {
  const [message] = await tx
    .select({ id: messages.id })
    .from(messages)
    .where(and(eq(messages.enrollmentId, enrollmentId), eq(messages.stepId, step)));
  return message?.id ?? null;
}

/** The fields of a type beside those that all have. The catalogue leaves out what a type does not have. */
function storyFields(type: string, data: Data): Data {
  const changed = /^order_(corrected|refunded|edited|cancelled|restored)$/.exec(type)?.[1];
  return {
    by: textOr(data['by'], 'automatic'),
    outcome: type === 'completed' ? 'completed' : 'stopped',
    reason: type === 'completed' ? 'completed' : type === 'provider.unreachable' ? 'provider_unreachable' : textOr(data['reason'], 'unknown'),
    until: timeOr(data['until_ms']),
    from: numberOr(data['from']),
    to: numberOr(data['to']),
    channel: textOr(data['channel'], 'email'),
    variant: textOr(data['variant'], null),
    language: textOr(data['language'], null),
    value_minor: numberOr(data['value_minor']),
    currency: textOr(data['currency'], null),
    ...(typeof data['net_minor'] === 'number' ? { net_minor: data['net_minor'] } : {}),
    no_revenue: textOr(data['no_revenue'], null),
    ...(changed === undefined ? {} : { change: changed }),
  };
}

async function tellEvent(tx: Tx, { data }: EventRow): Promise<Told | null> {
  const type = textOr(data?.['type'], '') ?? '';
  if (data === null || !isWebhookEventType(type)) return null;
  const contactId = textOr(data['contact_id'], null);
  const connectionId = textOr(data['connection_id'], null);
  return {
    type,
    data: { ...data, connection: connectionId === null ? null : await connectionOf(tx, connectionId) },
    contactId,
    subjectId: textOr(data['subject_id'], null),
  };
}

async function connectionOf(tx: Tx, id: string): Promise<{ id: string; integration: string } | null> {
  const [found] = await tx.select({ id: connections.id, integration: connections.integration }).from(connections).where(eq(connections.id, id));
  return found ?? null;
}

async function tellSuppression(tx: Tx, { source }: EventRow, refId: string): Promise<Told | null> {
  const [found] = await tx.select().from(suppressions).where(eq(suppressions.id, refId));
  if (found === undefined || !isWebhookEventType(source)) return null;
  const { id, channel, reason } = found;
  return { type: source, data: { suppression_id: id, channel, reason }, contactId: null, subjectId: null };
}

async function tellTask(tx: Tx, { source }: EventRow, refId: string): Promise<Told | null> {
  const [found] = await tx
    .select({ task: tasks, contactId: subjects.contactId })
    .from(tasks)
    .leftJoin(subjects, and(eq(subjects.tenantId, tasks.tenantId), eq(subjects.id, tasks.subjectId)))
    .where(eq(tasks.id, refId));
  if (found === undefined || !isWebhookEventType(source)) return null;
  const { id, kind, state, owner, dueAt, subjectId } = found.task;
  return {
    type: source,
    // It may have been closed since: each event tells how things stood then.
    data: { task: { id, kind, state: source === 'task.closed' ? state : 'open', owner, due_at: new Date(dueAt).toISOString() } },
    contactId: found.contactId,
    subjectId,
  };
}

async function tellAlarm(tx: Tx, { source }: EventRow, refId: string): Promise<Told | null> {
  const [found] = await tx.select().from(alarms).where(eq(alarms.id, refId));
  if (found === undefined || !isWebhookEventType(source)) return null;
  const { id, kind, figure, threshold } = found;
  return { type: source, data: { alarm: { id, kind, figure, threshold } }, contactId: null, subjectId: null };
}

async function tellRisk(tx: Tx, _row: EventRow, refId: string): Promise<Told | null> {
  const [found] = await tx
    .select({ assessment: riskAssessments, contactId: subjects.contactId })
    .from(riskAssessments)
    .innerJoin(subjects, and(eq(subjects.tenantId, riskAssessments.tenantId), eq(subjects.id, riskAssessments.subjectId)))
    .where(eq(riskAssessments.id, refId));
  if (found === undefined) return null;
  const { id, subjectId, band, bandBefore, by, basis, score, enrollmentId } = found.assessment;
  const data = { assessment_id: id, band, band_before: bandBefore, by, basis, score, enrollment_id: enrollmentId };
  return { type: 'risk.band_changed', data, contactId: found.contactId, subjectId };
}

async function tellQuarantine(tx: Tx, _row: EventRow, refId: string): Promise<Told | null> {
  const [found] = await tx.select().from(quarantine).where(eq(quarantine.id, refId));
  if (found === undefined) return null;
  const connection = await connectionOf(tx, found.connectionId);
  const data = { connection, quarantine_id: found.id, topic: found.topic, may_be_stop: found.mayBeStop };
  return { type: 'delivery.quarantined', data, contactId: null, subjectId: null };
}

async function tellConnection(tx: Tx, { source }: EventRow, refId: string): Promise<Told | null> {
  const connection = await connectionOf(tx, refId);
  if (connection === null || !isWebhookEventType(source)) return null;
  return { type: source, data: { connection }, contactId: null, subjectId: null };
}
