import { z } from 'zod';
import { alarmKinds } from '../alarms/decide-alarm.ts';
import { assessmentBases } from '../risk/assess.ts';
import { riskBands } from '../risk/bands.ts';

/*
 * What outgoing webhooks tell. A type here, its source in operations/webhooks/sources.ts, and a row that somebody writes: nothing else knows about it. A
 * type is never renamed, and a field never removed: programs act on them.
 */

const time = z.iso.datetime();
const id = z.uuid();
const minor = z.int().nullable().meta({ description: 'In minor units; null: not known.' });
const currency = z.string().nullable().meta({ description: 'ISO 4217; null: not known.' });
const reason = (description: string) => z.string().meta({ description });

const outsideId = z
  .object({ kind: z.string(), value: z.string(), integration: z.string(), connection: id })
  .meta({ id: 'WebhookOutsideId', description: 'The source’s own id of a subject, such as a cart.' });

const subjectRef = z
  .object({ id, kind: z.string().meta({ examples: ['cart', 'lead'] }), external_ids: z.array(outsideId) })
  .meta({ id: 'WebhookSubject', description: 'What it is about: a cart, a lead …' });

const contactRef = z
  .object({
    id,
    external_ids: z.array(z.object({ value: z.string(), connection: id })).meta({ description: 'Your own ids of the person, by connection.' }),
    email: z.string().nullable().optional(),
    phone: z.string().nullable().optional(),
    first_name: z.string().nullable().optional(),
    last_name: z.string().nullable().optional(),
  })
  .meta({
    id: 'WebhookContact',
    description:
      'The person. Their addresses and name are there only where the endpoint asks for personal data, and as they are at the time of the attempt.',
  });

const enrollment = z.object({ id, sequence: z.string(), version: z.int() }).meta({ id: 'WebhookEnrollment' });
const connection = z.object({ id, integration: z.string() }).meta({ id: 'WebhookConnection' });
const task = z
  .object({ id, kind: z.string(), state: z.enum(['open', 'done', 'dismissed']), owner: z.string().nullable(), due_at: time })
  .meta({ id: 'WebhookTask' });

const alarm = z.object({ id, kind: z.enum(alarmKinds), figure: z.number(), threshold: z.number() }).meta({ id: 'WebhookAlarm' });
const riskBand = z.enum(riskBands);

const ofStory = { enrollment };
const ofStep = {
  ...ofStory,
  step: z.string(),
  message_id: id.nullable().meta({ description: 'Of the attempt, as `GET /api/attempts` has it; null: the step has none.' }),
};
const ofOrder = {
  ...ofStory,
  value_minor: minor,
  currency,
  net_minor: minor.optional().meta({ description: 'After edits and refunds, where that differs.' }),
};
const ofEvent = {
  connection: connection.nullable(),
  delivery_id: id.nullable().meta({ description: 'The delivery that it came with, as `GET /api/deliveries` has it.' }),
  occurred_at: time.meta({ description: 'By its source’s clock.' }),
};
const ofOrderEvent = { ...ofEvent, order_id: z.string().nullable().meta({ description: 'The shop’s own id of the order.' }) };
const ofChannelEvent = { ...ofEvent, channel: z.string().nullable().meta({ description: 'null: all channels, or none of ours.' }) };
const ofSuppression = {
  suppression_id: id,
  channel: z.string().meta({ description: 'Or `all`.' }),
  reason: z.enum(['opted_out', 'bounce', 'complaint', 'refused']),
};

/** What each type tells, and its own fields beside `contact` and `subject`. */
const types = {
  // What the outside reported, once it is applied.
  'cart.updated': ['A cart was filled or changed.', ofEvent],
  'cart.deleted': ['The shop deleted a cart.', ofEvent],
  'lead.created': ['A lead came in, or was reported again.', ofEvent],
  'lead.contacted': ['A colleague, or another system, has been in touch with a lead.', ofEvent],
  'viewing.reported': ['A viewing was agreed with a lead, or called off.', ofEvent],
  'subject.reported': ['Something that sequences can be about was reported.', ofEvent],
  'behaviour.reported': ['What an account did was reported.', ofEvent],
  'order.placed': ['An order came in.', ofOrderEvent],
  'order.updated': ['An order was edited, refunded or restored.', ofOrderEvent],
  'order.cancelled': ['An order was cancelled.', ofOrderEvent],
  'conversion.reported': ['A tracker reported a conversion.', ofEvent],
  'contact.updated': ['Details of a person came in.', ofEvent],
  'contact.opted_out': ['A person, or the shop’s record of them, closed a channel.', ofChannelEvent],
  'contact.opted_in': ['A person, or the shop’s record of them, opened a channel.', ofChannelEvent],
  'message.received': ['A person wrote: a reply, or a first message. Its text is not told.', ofChannelEvent],
  'facts.reported': ['Facts about products, areas or offers came in.', ofEvent],
  'privacy.requested': ['A shop passed on a request under data protection law.', ofEvent],
  'app.uninstalled': ['The shop removed the app: its connection is disconnected.', ofEvent],
  // What the product decides.
  'enrollment.started': [
    'Somebody was taken into a sequence.',
    { ...ofStory, by: z.string().meta({ description: '`automatic`, `hand`, `bulk` …' }), value_minor: minor, currency },
  ],
  'enrollment.activated': ['A cart or a lead counts as left alone: its sequence is at work.', { ...ofStory, value_minor: minor, currency }],
  'enrollment.ended': [
    'A sequence ran to its end, or was stopped.',
    {
      ...ofStory,
      outcome: z.enum(['completed', 'stopped']),
      reason: reason('`completed`, or why it was stopped: `purchased`, `opted_out`, `replied` …'),
    },
  ],
  'enrollment.paused': ['Nothing of it is sent until it is resumed.', ofStory],
  'enrollment.resumed': ['It goes on.', ofStory],
  'enrollment.snoozed': ['What is left of it moves.', { ...ofStory, until: time.nullable() }],
  'enrollment.taken_over': ['A person answers: nothing is sent until it is released.', { ...ofStory, until: time.nullable() }],
  'enrollment.released': ['The conversation was released: the sequence goes on.', ofStory],
  'enrollment.version_changed': ['It goes on in another version of its sequence.', { ...ofStory, from: z.int().nullable(), to: z.int().nullable() }],
  'step.requested': ['A person asked for a step to go out at once.', ofStep],
  'step.skipped': ['A step was left out.', { ...ofStep, reason: reason('`too_old`, `condition`, `no_consent`, `suppressed` …') }],
  'step.postponed': ['The provider could not be reached: the step is tried again.', { ...ofStep, reason: z.literal('provider_unreachable') }],
  'message.sent': [
    'A message was accepted by its provider.',
    { ...ofStep, channel: z.string(), variant: z.string().nullable(), language: z.string().nullable() },
  ],
  'message.failed': ['A message was not accepted, or never reached the person.', ofStep],
  'message.unknown': ['Nobody knows whether a message was accepted: it counts as sent, and is not repeated blindly.', ofStep],
  'message.delivered': ['A message was delivered, by its provider’s receipt.', ofStep],
  'message.opened': ['A person opened a message for the first time.', ofStep],
  'message.clicked': ['A person followed a link of a message for the first time.', ofStep],
  'message.click_withdrawn': ['A click that was told does not count: it was a scanner’s.', ofStep],
  'message.automatic_reply': ['A program answered for the person: it changes nothing.', ofStory],
  'call.answered': ['A call was answered.', ofStep],
  'call.not_reached': ['A call reached nobody.', ofStep],
  'call.failed': ['A call failed.', ofStep],
  'popup.shown': ['A pop-up was shown.', ofStep],
  'popup.closed': ['A person closed a pop-up.', ofStep],
  'conversion.credited': ['An order is credited to a sequence.', ofOrder],
  'conversion.voided': [
    'An order that stopped a sequence is no revenue: a test, or cancelled at once.',
    { ...ofOrder, no_revenue: z.string().nullable() },
  ],
  'conversion.changed': [
    'An order that is credited to a sequence has changed.',
    { ...ofOrder, change: z.enum(['corrected', 'refunded', 'edited', 'cancelled', 'restored']) },
  ],
  'contact.merged': ['What was two people is one.', ofStory],
  'contact.split': ['A person was separated from somebody else by hand.', ofStory],
  'suppression.added': ['Messages to an address are blocked. The address itself is not stored, and not told.', ofSuppression],
  'suppression.lifted': ['A block was lifted.', ofSuppression],
  'task.opened': ['There is work for a person: a hot lead, a question, an escalation.', { task }],
  'task.changed': ['Somebody accepted a task, or it was handed over or put off.', { task }],
  'task.closed': ['Work for a person is done, or dismissed.', { task }],
  'risk.band_changed': [
    'An account came into another band of risk.',
    {
      assessment_id: id,
      band: riskBand,
      band_before: riskBand,
      by: z.enum(['model', 'rules']),
      basis: z.enum(assessmentBases).meta({ description: 'Of the score. Only a `chance` is a probability.' }),
      score: z.number(),
      enrollment_id: id.nullable().meta({ description: 'The sequence that began by it; null: none did.' }),
    },
  ],
  'delivery.quarantined': [
    'A delivery could not be read, and waits for somebody.',
    { connection: connection.nullable(), quarantine_id: id, topic: z.string(), may_be_stop: z.boolean() },
  ],
  'connection.refused': ['A provider does not let us in any more.', { connection }],
  'connection.restored': ['A provider lets us in again.', { connection }],
  'alarm.raised': ['A figure of the store has been beyond its threshold for some minutes.', { alarm }],
  'alarm.cleared': ['It is back.', { alarm }],
  'webhook.test': ['Somebody asked for a test of the endpoint.', { endpoint_id: id }],
} as const satisfies Record<string, readonly [string, z.ZodRawShape]>;

export type WebhookEventType = keyof typeof types;
export const webhookEventTypes = Object.keys(types) as [WebhookEventType, ...WebhookEventType[]];
export const isWebhookEventType = (text: string): text is WebhookEventType => Object.hasOwn(types, text);

export interface DescribedEvent {
  type: WebhookEventType;
  summary: string;
  /** Its own fields, without `contact` and `subject`. */
  fields: z.ZodObject;
  /** The whole body. */
  body: z.ZodObject;
}

const nameOf = (type: string) =>
  `Webhook${type
    .split(/[._]/)
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join('')}`;

const described = (type: WebhookEventType): DescribedEvent => {
  const [summary, shape] = types[type];
  const fields = z.object(shape);
  const data = z.object({ ...shape, contact: contactRef.nullable(), subject: subjectRef.nullable() });
  const body = z
    .object({ type: z.literal(type), timestamp: time.meta({ description: 'When it happened.' }), data })
    .meta({ id: nameOf(type), description: summary });
  return { type, summary, fields, body };
};

const catalogue = Object.fromEntries(webhookEventTypes.map((type) => [type, described(type)])) as Record<WebhookEventType, DescribedEvent>;

export const webhookEvent = (type: WebhookEventType): DescribedEvent => catalogue[type];
