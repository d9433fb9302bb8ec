import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  type Attribution,
  attributionModels,
  attributionPlaces,
  type Credit,
  type CreditedRevenue,
  readAttribution,
} from '../../../operations/read/attribution.ts';
import { majorUnits } from '../../../operations/read/major-units.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problems } from '../../plugins/errors.ts';
import { isoTime, timeField } from '../../routes/fields.ts';
import { effectSchema, presentEffect } from '../holdouts/effect.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const money = z.string().meta({ description: 'In major units, exact: `129.90`.' });
const minor = z.int().meta({ description: 'The same in minor units.' });
const creditSchema = {
  orders: z.number().meta({ description: 'Shares of orders added up; cancelled and test orders are not among them, those of unknown value are.' }),
  revenue: z.array(
    z.object({
      currency: z.string(),
      ...{ gross: money, gross_minor: minor, refunded: money, refunded_minor: minor },
      net: money.meta({ description: 'What the shop keeps after edits, refunds and cancellations.' }),
      net_minor: minor,
    }),
  ),
};

const attributionSchema = z
  .object({
    from: timeField.meta({ description: 'Where the window begins: a full day, UTC. Orders placed since then are shared out.' }),
    to: timeField,
    model: z.enum(attributionModels),
    by: z.enum(attributionPlaces),
    window_days: z.number().meta({ description: 'How long before the order a message counts (setting `attribution`).' }),
    half_life_days: z.number().meta({ description: 'Of `time_decay`: by how much earlier a message weighs half.' }),
    definition: z.string(),
    credits: z
      .array(
        z.object({
          key: z.string().meta({ description: 'The sequence, `sequence/step`, the channel …; empty: none, or not known.' }),
          name: z.string(),
          ...creditSchema,
        }),
      )
      .meta({ description: 'Those with most orders first. By each model they add up to the orders that a message preceded, to the cent.' }),
    total: z.object(creditSchema),
    converted: z
      .object({
        currency: z.string(),
        ...{ net: money, net_minor: minor },
        rates: z
          .record(z.string(), z.number())
          .meta({ description: 'By which amounts of other currencies were converted (setting `exchangeRates`).' }),
        missing: z.array(z.string()).meta({ description: 'Currencies without a stated rate: in no sum.' }),
      })
      .nullable()
      .meta({ description: '`total` in the store’s currency; null: it has none (setting `currency`).' }),
    incremental: z
      .object({
        definition: z.string(),
        sequences: z.array(z.object({ sequence: z.string(), name: z.string(), window_seconds: z.number(), effect: effectSchema })),
      })
      .meta({ description: 'What messages caused. Credit is not effect: people who would have bought anyway are credited, too.' }),
  })
  .meta({ id: 'Attribution' });

const modelWords = {
  last: 'the last message before an order gets all of it',
  linear: 'every message before an order gets the same',
  position: 'the first and the last message before an order get 40 % each, those between them share 20 %',
  time_decay: 'a message weighs half as much for each half-life that it is earlier than the last one',
};

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/attribution',
    {
      schema: {
        summary: 'Show what messages are credited with, and what they caused',
        description:
          'Orders are shared out among the messages that reached the person within the window before them, by one of four models. Beside that, for each sequence that holds people out, the effect: what those who were to get messages bought beyond those who were held out.',
        querystring: z.object({
          days: z.coerce.number().int().min(1).max(3_650).default(30).meta({ description: 'Orders of so many days.' }),
          model: z.enum(attributionModels).default('last'),
          by: z.enum(attributionPlaces).default('sequence'),
        }),
        response: { 200: attributionSchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => present(await readAttribution(deps, callerOf(request).tenantId, request.query)),
  );
};

function present({
  fromMs,
  toMs,
  model,
  by,
  windowDays,
  halfLifeDays,
  credits,
  total,
  converted,
  incremental,
}: Attribution): z.input<typeof attributionSchema> {
  return {
    ...{ from: isoTime(fromMs), to: isoTime(toMs), model, by, window_days: windowDays, half_life_days: halfLifeDays },
    definition: `Orders placed since then that a message preceded by at most ${windowDays} days, shared out to the cent: ${modelWords[model]}. It is credit, not effect.`,
    credits: credits.map(({ key, name, ...credit }) => ({ key, name, ...presentCredit(credit) })),
    total: presentCredit(total),
    converted:
      converted === null
        ? null
        : {
            ...{ currency: converted.currency, net: majorUnits(converted.netMinor, converted.currency), net_minor: converted.netMinor },
            ...{ rates: converted.rates, missing: converted.missing },
          },
    incremental: {
      definition:
        'Of each sequence that holds people out: what everybody who was to get messages bought within the window after they were assigned, less what people held out bought, by intention to treat.',
      sequences: incremental.map((holdout) => ({
        ...{ sequence: holdout.sequence, name: holdout.name, window_seconds: holdout.windowMs / 1_000, effect: presentEffect(holdout) },
      })),
    },
  };
}

const presentCredit = ({ orders, revenue }: Omit<Credit, 'key' | 'name'>) => ({ orders, revenue: revenue.map(presentRevenue) });

function presentRevenue({ currency, grossMinor, refundedMinor, netMinor }: CreditedRevenue) {
  return {
    currency,
    ...{
      gross: majorUnits(grossMinor, currency),
      gross_minor: grossMinor,
      refunded: majorUnits(refundedMinor, currency),
      refunded_minor: refundedMinor,
    },
    ...{ net: majorUnits(netMinor, currency), net_minor: netMinor },
  };
}

export const resource: Resource = {
  tag: { name: 'attribution', description: 'What messages are credited with, beside what they caused' },
  guard: 'tenant',
  changes: null,
  routes,
};
