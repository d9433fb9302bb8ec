import { z } from 'zod';

/*
 * The bodies of the generic integration's events as docs/webhooks.md describes them, for /openapi.json. Documentation only: the receiver accepts more
 * than this, because a stop needs only whom or what it is about.
 */

const money = z
  .union([z.string(), z.number()])
  .meta({ description: 'An amount in major units: a decimal string or a number.', examples: ['129.90'] });
const link = z.string().max(2_000).meta({ description: 'An absolute http or https address.' });
const id = z.string().max(255);
const instant = z.string().meta({ format: 'date-time' });

const consent = z
  .union([z.boolean(), z.enum(['granted', 'denied', 'not_stated', 'subscribed', 'unsubscribed'])])
  .meta({ description: '`true`: a ticked box, `false`: one that was not ticked, which says nothing. `denied` and `unsubscribed` are opt-outs.' });

const contact = z
  .looseObject({
    id: id.meta({ description: 'Your id of the person. Taken as verified: contacts with different ids are never merged.' }),
    email: z.string(),
    phone: z.string().meta({ examples: ['+436641234567'] }),
    first_name: z.string(),
    last_name: z.string(),
    locale: z.string().meta({ description: 'BCP 47.', examples: ['de-AT'] }),
    time_zone: z.string().meta({ description: 'An IANA name.', examples: ['Europe/Vienna'] }),
    country: z.string().meta({ description: 'ISO 3166-1 alpha-2.', examples: ['AT'] }),
    region: z.string(),
    order_count: z.int(),
    lifetime_value: money,
    currency: z.string().meta({ description: 'ISO 4217, of `lifetime_value`.' }),
    marketing: z
      .looseObject({
        email: consent,
        sms: consent,
        whatsapp: consent,
        call: consent,
        wording: z.string().meta({ description: 'What stood beside the box.' }),
      })
      .partial()
      .meta({ description: 'What is known about marketing; an unticked box says nothing.' }),
  })
  .partial()
  .meta({ id: 'GenericContact', description: 'A person: by an `id`, an `email` or a `phone`.' });

const item = z
  .looseObject({
    title: z.string(),
    variant: z.string(),
    quantity: z.number(),
    price: money,
    compare_at_price: money,
    product_id: id,
    variant_id: id.meta({ description: 'Where stock and prices are those of variants.' }),
    image_url: link,
    product_url: link,
    stock: z.int().meta({ description: 'Units that are left.' }),
  })
  .partial()
  .meta({ id: 'GenericItem' });

const cart = z
  .looseObject({
    id,
    currency: z.string().optional().meta({ description: 'ISO 4217.' }),
    total: money.optional(),
    items: z.array(item).optional(),
    restore_url: link.optional().meta({ description: 'Where the shopper finds the cart again: emails lead there.' }),
    created_at: instant.optional(),
    origin: z.enum(['web', 'point_of_sale', 'draft', 'marketplace', 'other']).optional().meta({ description: 'Where it was filled.' }),
    completed: z.boolean().optional().meta({ description: 'It was bought, and an order follows.' }),
  })
  .meta({ id: 'GenericCart' });

const lead = z
  .looseObject({
    id: id.optional().meta({ description: 'Your id of the lead; without one, each person has one lead.' }),
    source: z
      .string()
      .optional()
      .meta({ description: 'Where it came from.', examples: ['website'] }),
    via: z
      .string()
      .optional()
      .meta({ description: 'By which way it came in, `META`, `API`, `MANUAL` or `BULK`, where `source` is a name of your own.', examples: ['BULK'] }),
    interest: z
      .string()
      .optional()
      .meta({ description: 'What they asked about, as messages may repeat it.', examples: ['a kitchen with an island'] }),
    message: z.string().optional().meta({ description: 'What they wrote; no message repeats it.' }),
    preferences: z
      .string()
      .optional()
      .meta({ description: 'What else they want of it, as messages may repeat it.', examples: ['three rooms, a garden'] }),
    url: link.optional().meta({ description: 'The page about what they asked for: messages lead there.' }),
    area: z.string().optional().meta({ description: 'The area that they asked about, as market facts name it.' }),
    bot_type: z
      .string()
      .optional()
      .meta({ description: 'Which of your bots talks with them: `lead`, `buyer` or `seller`.', examples: ['buyer'] }),
    value: money.optional().meta({ description: 'What it may be worth.' }),
    currency: z.string().optional().meta({ description: 'ISO 4217, of `value`.' }),
    created_at: instant.optional(),
  })
  .meta({ id: 'GenericLead' });

const order = z
  .looseObject({
    id,
    currency: z.string().optional(),
    total: money.optional(),
    items: z.array(item).optional(),
    discount_codes: z.array(z.string()).optional().meta({ description: 'What the buyer redeemed: an offer of ours is known by its code.' }),
    test: z.boolean().optional(),
    status: z.string().optional().meta({ description: '`cancelled` or `declined`: it stops, and is no revenue.' }),
  })
  .meta({ id: 'GenericOrder' });

const refund = z.looseObject({ id, amount: money, at: instant.optional() });
const orderNow = z
  .looseObject({
    id,
    currency: z.string().optional(),
    current_total: money.optional(),
    total: money.optional(),
    refunded: money.optional(),
    refunds: z.array(refund).optional(),
    status: z.string().optional(),
  })
  .meta({ id: 'GenericOrderNow' });

function event<Type extends string, Data extends z.ZodType>(type: Type, name: string, description: string, data: Data) {
  const timestamp = z
    .string()
    .meta({ format: 'date-time', description: 'When it happened; not in the future. The later one wins, in whatever order events arrive.' });
  return z.looseObject({ type: z.literal(type), timestamp, data }).meta({ id: name, description });
}

/** Every event that docs/webhooks.md describes. */
export const genericEvent = z
  .union([
    event(
      'cart.updated',
      'GenericCartUpdated',
      'A cart has changed, or its shopper has become known.',
      z.looseObject({ cart, contact: contact.optional() }),
    ),
    event(
      'lead.created',
      'GenericLeadCreated',
      'Somebody asked about something and left an address.',
      z.looseObject({ lead: lead.optional(), contact }),
    ),
    event(
      'behaviour.reported',
      'GenericBehaviourReported',
      'What a customer who comes again has done, each with its time; as `POST /api/behaviour` takes it.',
      z.looseObject({
        account: z
          .looseObject({
            id: id.meta({ description: 'Your id of the account. Left out, the person has one account.' }),
            name: z.string(),
            url: link,
            created_at: instant,
          })
          .partial()
          .optional(),
        contact: contact.optional(),
        behaviour: z.array(
          z.looseObject({
            kind: z.enum(['visit', 'order', 'message', 'open', 'call', 'support', 'own']),
            id: id.optional().meta({ description: 'Your id of what happened: it counts once.' }),
            at: instant.optional().meta({ description: 'Left out, the time of the event.' }),
            pages: z.int().optional().meta({ description: 'visit' }),
            amount: money.optional(),
            currency: z.string().optional().meta({ description: 'order: ISO 4217.' }),
            channel: z.string().optional().meta({ description: 'message, open' }),
            answered: z.boolean().optional().meta({ description: 'call: whether somebody spoke.' }),
            seconds: z.int().optional().meta({ description: 'call' }),
            severity: z.enum(['low', 'normal', 'high']).optional().meta({ description: 'support' }),
            code: z.string().optional().meta({ description: 'own: your name for it.' }),
          }),
        ),
      }),
    ),
    event(
      'lead.contacted',
      'GenericLeadContacted',
      'A colleague has spoken with the lead: what runs about it stops.',
      z.looseObject({
        lead_id: id.optional(),
        contact: contact.optional(),
        by: z.string().optional().meta({ description: 'Who it was.' }),
        automated: z
          .boolean()
          .optional()
          .meta({ description: 'Another system has sent something: it moves the last contact and stops nothing but a silence.' }),
      }),
    ),
    event(
      'viewing.reported',
      'GenericViewingReported',
      'A viewing, or another appointment, was agreed with the lead, or called off.',
      z.looseObject({
        lead_id: id.optional(),
        contact: contact.optional(),
        viewing: z
          .looseObject({
            id: id.optional().meta({ description: 'By which its changes belong together; left out, the lead has one at a time.' }),
            status: z.enum(['agreed', 'cancelled']).optional().meta({ description: 'Left out: agreed.' }),
          })
          .optional(),
      }),
    ),
    event(
      'order.placed',
      'GenericOrderPlaced',
      'An order exists, paid or not. `cart_id` stops the recovery of the cart, `contact` everything of the person.',
      z.looseObject({ order, cart_id: id.optional(), contact: contact.optional() }),
    ),
    event(
      'order.updated',
      'GenericOrderUpdated',
      'How an order stands now, after edits and refunds; in any order, and as often as it comes.',
      z.looseObject({ order: orderNow }),
    ),
    event('order.cancelled', 'GenericOrderCancelled', 'An order was cancelled.', z.looseObject({ order: z.looseObject({ id }) })),
    event(
      'contact.updated',
      'GenericContactUpdated',
      'Something is new about a person; what is left out stays as it is.',
      z.looseObject({ contact }),
    ),
    event(
      'message.received',
      'GenericMessageReceived',
      'The person wrote to you: their sequences stop, unless the message is automatic or only asks to be contacted later.',
      z.looseObject({
        contact,
        channel: z.enum(['email', 'sms', 'whatsapp', 'telegram']).optional(),
        text: z.string().optional(),
        subject: z.string().optional(),
        headers: z
          .looseObject({ 'Auto-Submitted': z.string().optional().meta({ description: 'RFC 3834.' }) })
          .optional()
          .meta({ description: 'The email’s header fields, also as a list of `{ name, value }`: they tell an automatic reply from a person’s.' }),
      }),
    ),
    event(
      'contact.opted_out',
      'GenericContactOptedOut',
      'The person wants no more messages on a channel, or on any.',
      z.looseObject({
        contact,
        channel: z.enum(['email', 'sms', 'whatsapp', 'call', 'push', 'all']).optional(),
        final: z.boolean().optional().meta({ description: 'For complaints and "never again": nothing ever contacts the person again.' }),
        source: z.string().optional(),
      }),
    ),
    event(
      'facts.updated',
      'GenericFactsUpdated',
      'What is true about products, areas and offers, so that messages may claim it; as `POST /api/facts` takes it.',
      z.looseObject({
        facts: z.array(
          z.looseObject({
            kind: z.enum(['stock', 'price', 'review', 'market', 'offer_end']),
            subject: id.meta({ description: 'A product or variant, an area, or `store`.' }),
            value: z
              .looseObject({
                left: z.int().meta({ description: 'stock: units that can be bought.' }),
                price: money,
                currency: z.string().meta({ description: 'price: ISO 4217.' }),
                as_in_carts: z.boolean().meta({ description: 'price: `false` where carts may state it with another tax.' }),
                average: z.number().meta({ description: 'review: 1 to 5.' }),
                count: z.int().meta({ description: 'review: how many.' }),
                quote: z.string(),
                author: z.string(),
                trigger: z.enum(['price_change', 'rate_change', 'new_sales_nearby', 'seasonal']).meta({ description: 'market' }),
                statement: z.string().meta({ description: 'market: what happened, as messages may repeat it.' }),
                date: z.iso.date(),
                ends_at: instant,
                name: z.string().meta({ description: 'offer_end: what the offer is called.' }),
              })
              .partial(),
            source: z.string().optional(),
            observed_at: instant.optional(),
            expires_at: instant.optional(),
          }),
        ),
      }),
    ),
    event(
      'market.triggered',
      'GenericMarketTriggered',
      'What moves the markets that leads asked about; as `POST /api/market-triggers` takes it.',
      z.looseObject({
        triggers: z.array(
          z.looseObject({
            trigger: z.enum(['price_change', 'rate_change', 'new_sales_nearby', 'seasonal']),
            area: z.string().meta({ description: 'As leads name theirs.' }),
            statement: z.string().meta({ description: 'What happened, as messages may repeat it.' }),
            date: z.iso.date(),
            source: z.string().optional(),
            expires_at: instant.optional(),
          }),
        ),
      }),
    ),
    event(
      'contact.opted_in',
      'GenericContactOptedIn',
      'The person’s own yes.',
      z.looseObject({
        contact,
        channel: z.enum(['email', 'sms', 'whatsapp', 'call', 'push']).optional(),
        source: z.string().optional(),
        wording: z.string().optional().meta({ description: 'The exact sentence that they agreed to.' }),
        wording_version: z.string().optional(),
        ip: z.string().optional(),
        user_agent: z.string().optional(),
        url: z.string().optional().meta({ description: 'The page on which they agreed.' }),
      }),
    ),
  ])
  .meta({
    id: 'GenericEvent',
    description: 'An event of the generic integration; docs/webhooks.md says what happens with each field that is missing or odd.',
  });
