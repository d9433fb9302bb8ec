import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BuiltDeps } from '../../../operations/create-deps.ts';
import {
  configureSteps,
  type ConfiguredStep,
  formatDuration,
  isChannel,
  minorDigits,
  parseDuration,
  readRecoveryConfig,
  type RecoveryConfig,
  type StepsConfigured,
} from '../../../operations/recovery-config.ts';
import { changeSettings, settingsChange } from '../../../operations/settings.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';

const fields = settingsChange.shape;
const clock = z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'is no time of day like 21:00');
const amount = z.number('is no amount').min(0, 'is below 0').max(1_000_000_000, 'is above 1000000000');
const terms = fields.offers.unwrap().unwrap();

const step = z.object({
  id: z.string(),
  delay: z.string().meta({ description: 'Like 30m, 2h or 3d.' }),
  anchor: z.enum(['enrollment', 'previous step']),
  channels: z.array(z.string()),
  offer: z.boolean().meta({ description: 'Whether it brings a discount where `offers` grants one.' }),
});

const config = {
  version: z.int32().meta({ description: 'Of the store’s settings: raised by every change of them.' }),
  steps: z.array(step).meta({
    description:
      'Of the version of the sequence `cart` that is in use, without its reactions. Other steps publish a version with them; carts under way stay on theirs.',
  }),
  timings: z.strictObject({
    time_zone: fields.timeZone.unwrap(),
    quiet_hours: z.strictObject({ from: clock, to: clock }).nullable().meta({ description: 'On the shopper’s clock; null: none.' }),
  }),
  thresholds: z.strictObject({
    high_value: amount.meta({ description: 'The lifetime value above which a customer is HIGH_VALUE, in major units of the store’s currency.' }),
    low_stock: fields.lowStockAt.unwrap(),
    reviews: fields.reviewsFrom.unwrap(),
  }),
  tone: fields.brandVoice.unwrap(),
  language: fields.locale.unwrap(),
  channels: z.strictObject({
    require_consent: fields.requireConsent.unwrap().meta({ description: 'Channels on which consent that is not known is not enough.' }),
  }),
  offers: z
    .strictObject({
      percent_off: terms.shape.percentOff,
      valid_hours: terms.shape.validHours,
      source: terms.shape.source,
      one_per_days: terms.shape.onePerDays,
      minimum_minor: terms.shape.minimumMinor,
      margin_percent: terms.shape.marginPercent,
      least_margin_percent: terms.shape.leastMarginPercent,
      budget: z
        .strictObject({
          most: z.int('is a whole number').min(1, 'is below 1').max(1_000_000, 'is above 1000000'),
          within_days: terms.shape.onePerDays.unwrap(),
        })
        .nullable()
        .default(null),
      most_carts_left: terms.shape.mostCartsLeft,
    })
    .nullable()
    .meta({ description: 'On what terms a step that asks for one brings a discount; null: never.' }),
};
const shown = z.object(config).meta({ id: 'RecoveryConfig' });
const given = z.strictObject({
  ...config,
  version: config.version.optional().meta({ description: 'The version that you have seen: 409 where somebody changed the settings meanwhile.' }),
  steps: config.steps.optional().meta({ description: 'Left out: they stay. A step that is missing is taken out.' }),
});
type Shown = z.output<typeof shown>;

/** Cart recovery as a store configures it: a view of its settings, under the names of a merchant. */
export const recoveryConfigRoutes: FastifyPluginAsyncZod<{ deps: BuiltDeps }> = async (app, { deps }) => {
  const tags = ['recovery'];
  const security = [{ apiKey: [] }, { apiKeyHeader: [] }];

  app.get(
    '/recovery/config',
    {
      schema: {
        ...{ tags, security, summary: 'Show how cart recovery is configured' },
        description: 'Steps, timings, thresholds, tone, language, channels and offers. `GET /api/settings` has everything else.',
        response: { 200: shown, ...problems(401, 429, 503) },
      },
    },
    async (request) => present(await readRecoveryConfig(deps, callerOf(request).tenantId)),
  );

  app.put(
    '/recovery/config',
    {
      config: { permission: 'administer' },
      schema: {
        ...{ tags, security, summary: 'Configure cart recovery' },
        description: 'Replaces everything. The next message uses it; other steps are those of the carts that are left from now on.',
        body: given,
        response: { 200: shown, ...problems(400, 401, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { body } = request;
      const before = await readRecoveryConfig(deps, tenantId);
      if (body.version !== undefined && body.version !== before.current.version) return stale(reply, before.current.version);
      const change = changesFrom(body, before);
      const parsed = settingsChange.safeParse(change);
      if (!parsed.success)
        return invalidRequest(
          reply,
          parsed.error.issues.map(({ path, message }) => ({ path: `body/${nameOf(path)}`, message })),
        );
      const steps = body.steps === undefined ? null : readSteps(body.steps, before);
      if (steps !== null && 'faults' in steps) return invalidRequest(reply, steps.faults);
      if (steps !== null && steps.changed !== null) {
        const asked = { tenantId, actor: actorOf(request), base: before.sequenceVersion, steps: steps.changed };
        const refused = answerOf(reply, await configureSteps(deps, asked));
        if (refused !== null) return refused;
      }
      const { kind, current } = await changeSettings(deps, tenantId, {
        ...{ changes: parsed.data, expectedVersion: body.version ?? null, by: actorOf(request) },
      });
      if (kind === 'stale') return stale(reply, current.version);
      return present({ ...(await readRecoveryConfig(deps, tenantId)), current });
    },
  );
};

const stale = (reply: FastifyReply, version: number) =>
  problem(reply, 409, 'stale_version', `The settings are at version ${version}: read them again, then change them.`);

/** @returns `changed`: null where they are as they were */
function readSteps(
  given: readonly z.output<typeof step>[],
  { steps }: RecoveryConfig,
): { faults: { path: string; message: string }[] } | { changed: ConfiguredStep[] | null } {
  const faults: { path: string; message: string }[] = [];
  const read = given.flatMap(({ delay, ...fields }, index): ConfiguredStep[] => {
    const known = steps.find(({ id }) => id === fields.id);
    const delayMs = parseDuration(delay);
    const unknown = fields.channels.filter((channel) => !isChannel(channel));
    const fault = (path: string, message: string) => faults.push({ path: `body/steps/${index}/${path}`, message });
    if (known === undefined)
      fault('id', `is no step of the sequence cart, which has ${steps.map(({ id }) => id).join(', ')}: add one with POST /api/sequences/cart/steps`);
    if (given.findIndex(({ id }) => id === fields.id) < index) fault('id', 'stands twice');
    if (delayMs === null) fault('delay', 'is no span like 30m, 2h or 3d');
    if (unknown.length > 0) fault('channels', `has ${unknown.join(', ')}, which is no channel`);
    return delayMs === null ? [] : [{ ...fields, delayMs, channels: fields.channels.filter(isChannel) }];
  });
  if (given.length === 0) faults.push({ path: 'body/steps', message: 'are none: pause the sequence cart if it is to send nothing' });
  if (faults.length > 0) return { faults };
  return { changed: JSON.stringify(read.map(presentStep)) === JSON.stringify(steps.map(presentStep)) ? null : read };
}

/** @returns null: the steps are as they were asked for */
function answerOf(reply: FastifyReply, configured: StepsConfigured) {
  switch (configured.kind) {
    case 'configured':
      return null;
    case 'invalid':
      return invalidRequest(
        reply,
        configured.faults.map(({ path, message }) => ({ path: `body/steps (${path})`, message })),
      );
    case 'unknown_step':
      return problem(reply, 409, 'stale_version', 'The steps of the sequence cart have changed: read the configuration again, then change it.');
    case 'in_the_way': {
      const why = {
        draft:
          'The sequence cart has a draft that is not published. Publish it or delete it (DELETE /api/sequences/cart/draft), then change the steps.',
        version: 'Another version of the sequence cart has been published meanwhile: read the configuration again, then change it.',
        archived: 'The sequence cart is archived: unarchive it (POST /api/sequences/cart/unarchive), then change the steps.',
      };
      return problem(
        reply,
        409,
        configured.what === 'version' ? 'stale_version' : configured.what === 'draft' ? 'has_draft' : 'archived',
        why[configured.what],
      );
    }
    case 'waited_for': {
      const which = configured.steps.join(', ');
      const what = `Carts wait for ${which}, which would be gone. Say what becomes of them: remove the step with DELETE /api/sequences/cart/steps/{id} and publish with \`running\`.`;
      return problem(reply, 409, 'choice_needed', what);
    }
  }
}

const digitsOf = ({ current }: RecoveryConfig) => minorDigits(current.settings.currency ?? '') ?? 2;

function present(config: RecoveryConfig): Shown {
  const { version, settings } = config.current;
  const { quietHours, offers } = settings;
  return {
    version,
    steps: config.steps.map(presentStep),
    timings: {
      time_zone: settings.timeZone,
      quiet_hours: quietHours === null ? null : { from: timeOf(quietHours.fromMinute), to: timeOf(quietHours.toMinute) },
    },
    thresholds: { high_value: settings.highValueMinor / 10 ** digitsOf(config), low_stock: settings.lowStockAt, reviews: settings.reviewsFrom },
    tone: settings.brandVoice,
    language: settings.locale,
    channels: { require_consent: settings.requireConsent as Shown['channels']['require_consent'] },
    offers:
      offers === null
        ? null
        : {
            percent_off: offers.percentOff,
            valid_hours: offers.validHours,
            source: offers.source,
            one_per_days: offers.onePerDays,
            minimum_minor: offers.minimumMinor,
            margin_percent: offers.marginPercent,
            least_margin_percent: offers.leastMarginPercent,
            budget: offers.budget === null ? null : { most: offers.budget.most, within_days: offers.budget.withinDays },
            most_carts_left: offers.mostCartsLeft,
          },
  };
}

const presentStep = ({ id, delayMs, anchor, channels, offer }: ConfiguredStep) => ({ id, delay: formatDuration(delayMs), anchor, channels, offer });

function changesFrom({ timings, thresholds, tone, language, channels, offers }: z.output<typeof given>, before: RecoveryConfig) {
  const { quiet_hours: quiet } = timings;
  return {
    timeZone: timings.time_zone,
    quietHours: quiet === null ? null : { fromMinute: minuteOf(quiet.from), toMinute: minuteOf(quiet.to) },
    highValueMinor: Math.round(thresholds.high_value * 10 ** digitsOf(before)),
    lowStockAt: thresholds.low_stock,
    reviewsFrom: thresholds.reviews,
    brandVoice: tone,
    locale: language,
    requireConsent: channels.require_consent,
    offers:
      offers === null
        ? null
        : {
            percentOff: offers.percent_off,
            validHours: offers.valid_hours,
            source: offers.source,
            onePerDays: offers.one_per_days,
            minimumMinor: offers.minimum_minor,
            marginPercent: offers.margin_percent,
            leastMarginPercent: offers.least_margin_percent,
            budget: offers.budget === null ? null : { most: offers.budget.most, withinDays: offers.budget.within_days },
            mostCartsLeft: offers.most_carts_left,
          },
  };
}

/** What one field cannot see of another: that a margin to be kept needs the usual one. */
const nameOf = (path: readonly PropertyKey[]) => (path.join('/') === 'offers/marginPercent' ? 'offers/margin_percent' : path.map(String).join('/'));

const timeOf = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
const minuteOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
