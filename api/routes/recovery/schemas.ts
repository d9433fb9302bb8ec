import { z } from 'zod';
import { timeField } from '../fields.ts';

const money = z.string().meta({ description: 'In major units, exact: `129.90`.', examples: ['129.90'] });
const minor = z.int().meta({ description: 'The same in minor units.' });

export const externalIdSchema = z
  .object({
    kind: z.string().meta({ examples: ['external', 'checkout_token', 'cart_token'] }),
    value: z.string(),
    integration: z.string(),
    connection: z.uuid(),
  })
  .meta({ id: 'ExternalId', description: 'The source’s own id of a subject, such as a cart, as its webhooks give it.' });

export const leftWithSchema = z.object({ total_price: money.nullable(), total_price_minor: minor.nullable(), currency: z.string().nullable() }).meta({
  id: 'CartWhenLeft',
  description: 'What the cart was worth when it counted as abandoned; until then, when it was taken into the sequence.',
});

export const nextStepSchema = z
  .object({ id: z.string(), at: timeField })
  .meta({ id: 'NextStep', description: 'The step whose turn it is, and when it is tried next; null: the sequence has ended, or is paused.' });

export const cartSchema = z
  .object({
    id: z.uuid().meta({ description: 'Rekindle’s own id.' }),
    external_ids: z.array(externalIdSchema),
    store: z.string(),
    status: z.enum(['ABANDONED', 'COMPLETED', 'GONE']).meta({ description: 'GONE: the checkout was deleted, its link restores nothing.' }),
    customer_email: z.string().nullable(),
    currency: z.string().nullable(),
    total_price: money.nullable().meta({ description: 'Now, as the shop’s latest event has it, in major units, exact: `129.90`.' }),
    total_price_minor: minor.nullable(),
    when_left: leftWithSchema,
    products: z.array(
      z.object({
        title: z.string(),
        variant: z.string().nullable(),
        quantity: z.number(),
        price: money.nullable(),
        price_minor: minor.nullable(),
        image_url: z.string().nullable(),
        product_url: z.string().nullable(),
      }),
    ),
    restore_link: z.string().nullable(),
    abandoned_at: timeField,
    last_activity_at: timeField,
  })
  .meta({ id: 'Cart' });

export const sequenceTypeSchema = z.enum(['first_time', 'returning', 'high_value', 'low_stock']).meta({
  id: 'SequenceType',
  description:
    'Whose cart it was when it was taken into the sequence. `first_time`: no earlier order is known. `high_value`: has ordered before, for more in all than the store’s threshold. `low_stock`: has ordered before, and something in the cart is nearly sold out. `returning`: has ordered before, and neither holds.',
});

export const recoverySchema = z
  .object({
    id: z.uuid().meta({ description: 'The enrollment’s id.' }),
    cart_id: z.uuid(),
    sequence_type: sequenceTypeSchema,
    current_step: z.string().nullable().meta({ description: 'The same as `last_step`.' }),
    last_step: z.string().nullable().meta({ description: 'The last step that went out; null before the first.' }),
    next_step: nextStepSchema.nullable(),
    steps_completed: z.array(z.string()).meta({ description: 'The steps that went out, in order. A step that was left out is not among them.' }),
    started_at: timeField.meta({ description: 'When the cart counted as abandoned.' }),
    completed_at: timeField.nullable().meta({ description: 'When it ended, however it ended; null: it runs.' }),
    stopped_reason: z
      .string()
      .nullable()
      .meta({
        description:
          'Why it stopped: `purchased`, `opted_out`, `replied`, `expired` …, or what was typed at a stop by hand. null: it runs, or it ran to its end.',
        examples: ['purchased', 'opted_out', 'expired'],
      }),
    cart: cartSchema,
  })
  .meta({ id: 'RecoverySequence' });

const ofEvent = {
  id: z.uuid().meta({ description: 'Grows with time. Give the last one as `after` to ask for what has happened since.' }),
  sequence_id: z.uuid(),
  timestamp: timeField,
};
const currency = z.string().nullable();
export const recoveryEventSchema = z
  .discriminatedUnion('event_type', [
    z.object({ ...ofEvent, event_type: z.literal('sequence_started'), cart_value: money.nullable(), cart_value_minor: minor.nullable(), currency }),
    z.object({ ...ofEvent, event_type: z.literal('email_sent'), step: z.string().meta({ examples: ['email_24h'] }) }),
    z.object({
      ...ofEvent,
      event_type: z.literal('cart_recovered'),
      recovered_value: money.nullable().meta({ description: 'What the order came to when it was placed.' }),
      recovered_value_minor: minor.nullable(),
      currency,
    }),
  ])
  .meta({ id: 'RecoveryEvent' });

export const startedSchema = z
  .object({
    status: z.enum(['started', 'not_started']),
    id: z.uuid().nullable().meta({ description: 'The sequence that runs about the cart; null: none does.' }),
    reason: z
      .string()
      .nullable()
      .meta({ description: 'Why none was started.', examples: ['unknown_cart', 'already_running', 'bought'] }),
    detail: z.string().meta({ description: 'The same for people.' }),
  })
  .meta({ id: 'StartedSequence' });

export const stoppedSchema = z
  .object({
    status: z
      .enum(['stopped', 'already_ended'])
      .meta({ description: '`stopped`: by hand, now or before. `already_ended`: it had ended otherwise, and this changed nothing.' }),
    reason: z.string().meta({ description: 'Why it stopped: what was typed at the stop by hand that counts, or the reason of the other end.' }),
    changed: z.boolean().meta({ description: 'Whether this request ended it.' }),
    ended_at: timeField,
    detail: z.string().meta({ description: 'For people: what happened.' }),
  })
  .meta({ id: 'StoppedSequence' });

const percent = z.number().meta({ description: 'Percent, 0 to 100.' });

export const revenueSchema = z
  .object({
    currency: z.string(),
    amount: money.meta({ description: 'What the shop keeps, in major units: the same as `net`.' }),
    amount_minor: minor,
    gross: money.meta({ description: 'The orders as they were placed, cancelled ones too.' }),
    gross_minor: minor,
    refunded: money.meta({ description: 'Refunds of these orders, in their currency.' }),
    refunded_minor: minor,
    adjusted: money.meta({
      description: 'What edits and cancellations have changed: `gross` + `adjusted` - `refunded` = `net`.',
      examples: ['-10.00'],
    }),
    adjusted_minor: minor,
    net: money.meta({ description: 'What the shop keeps after edits, refunds and cancellations.' }),
    net_minor: minor,
    orders: z.int().meta({ description: 'Orders of known value that were not cancelled.' }),
    cancelled_orders: z.int().meta({ description: 'Orders that were placed and cancelled later: in `gross`, not in `net`.' }),
  })
  .meta({ id: 'RecoveredRevenue' });

const figures = {
  recovery_rate: percent.meta({ description: '100 × sequences stopped as `purchased` ÷ sequences started; 0 when none was started.' }),
  recovery_rate_interval: z
    .object({ low: percent, high: percent, confidence: z.literal(0.95) })
    .nullable()
    .meta({ description: 'Wilson’s 95 % interval of the rate, in percent: how much so few cases can say.' }),
  total_sequences: z.int().meta({ description: 'Sequences started in the window.' }),
  purchased_sequences: z.int(),
  recovered_revenue: z
    .array(revenueSchema)
    .meta({ description: 'Orders credited to these sequences, by currency: different ones are not added up. Test orders do not count.' }),
  orders_of_unknown_value: z
    .int()
    .meta({ description: 'Credited orders whose amount or currency the shop did not say readably: in none of the amounts.' }),
  avg_sequence_length: z.number().meta({ description: 'Mean number of steps that went out.' }),
  emails_sent: z.int(),
  mails_sent: z.int().meta({ description: 'The same as `emails_sent`, which replaces it.', deprecated: true }),
  open_rate: percent
    .nullable()
    .meta({ description: 'Emails opened by a person ÷ emails accepted; null without emails, or where the store does not measure opens.' }),
  click_rate: percent.nullable().meta({ description: 'Emails whose link a person followed ÷ emails accepted; null without emails.' }),
};
export const figuresSchema = z.object(figures).meta({ id: 'SequenceFigures' });

const general = {
  total_sequences: figures.total_sequences,
  converted_sequences: z.int().meta({ description: 'Of them, those that ended with a purchase.' }),
  conversion_rate: percent.meta({ description: '100 × converted ÷ started; 0 when none was started.' }),
  conversion_rate_interval: figures.recovery_rate_interval,
  revenue: figures.recovered_revenue,
  orders_of_unknown_value: figures.orders_of_unknown_value,
  avg_sequence_length: figures.avg_sequence_length,
  messages: z
    .array(
      z.object({
        channel: z.string().meta({ examples: ['email', 'sms'] }),
        sent: z.int().meta({ description: 'Messages that the provider is known to have accepted.' }),
        open_rate: percent.nullable().meta({
          description: 'Opened by a person ÷ sent; null where the channel cannot tell, or the store does not measure opens.',
        }),
        click_rate: percent.nullable().meta({ description: 'Messages whose link a person followed ÷ sent.' }),
      }),
    )
    .meta({ description: 'The channels on which something was sent.' }),
};
export const generalFiguresSchema = z.object(general).meta({ id: 'SubjectSegmentFigures' });
export const kindFiguresSchema = z
  .object({ ...general, by_segment: z.record(z.string(), generalFiguresSchema) })
  .meta({ id: 'SubjectFigures', description: 'How the sequences about subjects of one kind did, by the segments of that kind.' });

export const analyticsSchema = z
  .object({
    days: z.int(),
    from: timeField.meta({ description: 'Where the window begins: a full hour, UTC.' }),
    to: timeField,
    ...figures,
    by_sequence_type: z.object({ first_time: figuresSchema, returning: figuresSchema, high_value: figuresSchema, low_stock: figuresSchema }),
    all_subjects: generalFiguresSchema.meta({ description: 'All sequences of the store, whatever they are about.' }),
    by_subject: z
      .record(z.string(), kindFiguresSchema)
      .meta({ description: 'By what the sequences are about: `cart`, `lead` … All other fields but `all_subjects` are about carts.' }),
  })
  .meta({ id: 'RecoveryAnalytics' });
