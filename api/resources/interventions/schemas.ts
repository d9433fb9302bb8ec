import { z } from 'zod';
import type { CapFigures } from '../../../operations/interventions/cap-figures.ts';
import { type Amount, decimalOf } from '../../../operations/interventions/amounts.ts';
import type { BandFigures, InterventionFigures } from '../../../operations/interventions/figures.ts';
import type { ActionView, InterventionView } from '../../../operations/interventions/interventions.ts';
import type { Rollout } from '../../../operations/interventions/rollout.ts';
import { isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';

export const interventionBandSchema = z.enum(['early', 'active', 'critical']);
const outcome = z.enum(['pending', 'delivered', 'engaged', 'converted', 'failed', 'ignored', 'escalated']);

const amountSchema = z.object({ amount: z.string().meta({ description: 'In major units, exact.', examples: ['0.0079'] }), currency: z.string() });
const amounts = z.array(amountSchema).meta({ description: 'By currency: amounts of different currencies are never added up.' });
const costSchema = z.object({
  amounts,
  unknown: z
    .array(z.enum(['message', 'people', 'model']))
    .meta({ description: 'What the setting `interventionCosts` does not say: the amounts are no total then.' }),
});
export const returnSchema = z
  .object({
    percent: z.number().nullable().meta({ description: '(value − cost) ÷ cost × 100.' }),
    multiple: z.number().nullable().meta({ description: 'value ÷ cost.' }),
    because: z
      .enum(['nothing_expected', 'unknown_cost', 'no_cost', 'several_currencies'])
      .nullable()
      .meta({ description: 'Why there is none. `nothing_expected`: no value is known; null: there is one.' }),
  })
  .meta({ description: 'The return on the cost, written both ways.' });
const effectSchema = z
  .object({ share: z.number(), from: z.enum(['measured', 'assumed']) })
  .nullable()
  .meta({
    description:
      'How many more accounts stay because of the whole intervention, as a share. `measured`: against people who were held out, at least 50 in each arm. `assumed`: by the setting `interventionEffects`. Null: nobody knows.',
  });
const worth = {
  cost: costSchema,
  expected_value: amounts
    .nullable()
    .meta({ description: 'What is at stake, times the effect, in equal parts for each action; null: no effect is known.' }),
  roi: returnSchema,
};

const actionSchema = z.object({
  step: z.string(),
  channel: z.string(),
  content: z.string().nullable().meta({ description: 'The name of its text; null: a task has none.' }),
  task: z.object({ kind: z.enum(['agent_call', 'assignment', 'escalation']), note: z.string().nullable(), skill: z.string().nullable() }).nullable(),
  state: z.enum(['planned', 'running', 'done', 'failed', 'left_out']),
  reason: z.string().nullable().meta({ description: 'Why it was left out.' }),
  due_at: timeField,
  at: timeField.nullable().meta({ description: 'When it took place.' }),
  late_ms: z.int().nullable().meta({ description: 'How much later than due.' }),
  opened_at: timeField.nullable(),
  clicked_at: timeField.nullable(),
  offer: z.object({ percent_off: z.int(), state: z.string(), redeemed: z.boolean() }).nullable().meta({ description: 'Of the offer ledger.' }),
  outcome: outcome.nullable().meta({ description: 'Null: it was left out.' }),
  ...worth,
});

export const interventionSchema = z
  .object({
    id: z.uuid().meta({ description: 'Of the enrollment.' }),
    account: z.uuid(),
    contact: z.uuid(),
    sequence: z.string(),
    band: interventionBandSchema,
    began_at: timeField,
    ended_at: timeField.nullable(),
    status: z.enum(['ACTIVE', 'PAUSED', 'COMPLETED', 'CONVERTED', 'EXITED']),
    stop_reason: z.string().nullable(),
    held_out: z.boolean().meta({ description: 'Nothing is done, so that the effect of the others can be measured.' }),
    at_stake: amounts.nullable().meta({
      description: 'What the account bought within a year, as much of it as falls into the days of the prediction; null: it was begun by hand.',
    }),
    effect: effectSchema,
    outcome: outcome.nullable().meta({ description: 'The best that came of an action.' }),
    success: z
      .boolean()
      .nullable()
      .meta({ description: 'Whether it brought the account back, by what its band counts; null: the window is not over.' }),
    window_seconds: z.number().meta({ description: 'For how long what the account does counts for the action before it: `interventionWindowDays`.' }),
    ...worth,
    attributed: amounts.meta({ description: 'Orders within the window of an action, known by the account’s behaviour.' }),
    actions: z.array(actionSchema),
  })
  .meta({ id: 'Intervention' });

const presentAmount = (amount: Amount) => ({ amount: decimalOf(amount), currency: amount.currency });
const presentAmounts = (found: readonly Amount[]) => found.map(presentAmount);
const presentReturn = (found: ActionView['return']): z.input<typeof returnSchema> =>
  'because' in found
    ? { percent: null, multiple: null, because: found.because }
    : { percent: found.percent, multiple: found.multiple, because: null };

export const presentWorth = ({ cost, expected, return: found }: Pick<ActionView, 'cost' | 'expected' | 'return'>) => ({
  cost: presentCost(cost),
  expected_value: expected === null ? null : presentAmounts(expected),
  roi: presentReturn(found),
});
export const worthSchema = z.object(worth);
const presentCost = ({ amounts: found, unknown }: ActionView['cost']) => ({ amounts: presentAmounts(found), unknown });

function presentAction(action: ActionView): z.input<typeof actionSchema> {
  const { step, channel, content, task, state, reason, offer } = action;
  return {
    ...{ step, channel, content, state, reason, due_at: isoTime(action.dueAtMs), at: isoTimeOrNull(action.atMs), late_ms: action.lateMs },
    task: task == null ? null : { kind: task.kind, note: task.note ?? null, skill: task.skill ?? null },
    ...{ opened_at: isoTimeOrNull(action.openedAtMs), clicked_at: isoTimeOrNull(action.clickedAtMs), outcome: action.outcome },
    offer: offer === null ? null : { percent_off: offer.percentOff, state: offer.state, redeemed: offer.redeemed },
    ...presentWorth(action),
  };
}

export function presentIntervention(view: InterventionView): z.input<typeof interventionSchema> {
  const { id, sequence, band, status, effect, outcome: came, success } = view;
  return {
    ...{
      id,
      account: view.accountId,
      contact: view.contactId,
      sequence,
      band,
      began_at: isoTime(view.beganAtMs),
      ended_at: isoTimeOrNull(view.endedAtMs),
    },
    ...{ status, stop_reason: view.stopReason, held_out: view.heldOut, effect, outcome: came, success, window_seconds: view.windowMs / 1_000 },
    ...{ at_stake: view.stake === null ? null : presentAmounts(view.stake), ...presentWorth(view), attributed: presentAmounts(view.attributed) },
    actions: view.actions.map(presentAction),
  };
}

const counts = z.object({
  pending: z.int(),
  delivered: z.int(),
  engaged: z.int(),
  converted: z.int(),
  failed: z.int(),
  ignored: z.int(),
  escalated: z.int(),
});
const interval = z.object({ low: z.number(), high: z.number() }).nullable();
const success = z.object({
  cases: z.int().meta({ description: 'Interventions whose window is over, of those where something was done.' }),
  successes: z.int(),
  rate: z.number().nullable().meta({ description: 'Percent; null: there were no cases.' }),
  interval: interval.meta({ description: 'Wilson’s 95 % interval of the rate, in percent.' }),
});
const sums = {
  begun: z.int(),
  held_out: z.int(),
  actions: z.int().meta({ description: 'That took place.' }),
  outcomes: counts.meta({ description: 'Of the actions.' }),
  success,
  cost: costSchema,
  expected_value: amounts,
  attributed: amounts.meta({ description: 'Orders within the window of an action. Some of them would have come anyway.' }),
  roi_attributed: returnSchema,
};

export const figuresSchema = z
  .object({
    from: timeField,
    to: timeField,
    window_days: z.int(),
    prediction: z.object({ what: z.enum(['no_purchase', 'no_answer']), within_days: z.int() }),
    targets: z.object({ success_percent: z.number(), roi_percent: z.number(), escalated_percent: z.number() }).meta({
      description:
        'What is aimed at: successes at least, over all bands; the return on what interventions cost, `percent`; accounts that are escalated at most. It is no result.',
    }),
    all: z.object(sums),
    bands: z.array(
      z.object({
        band: interventionBandSchema,
        ...sums,
        success: success.extend({
          means: z.string().meta({ description: 'What counts as success.' }),
          target: z.object({ from: z.number(), to: z.number() }).meta({ description: 'What is aimed at, in percent. It is no result.' }),
        }),
        arms: z
          .array(z.object({ arm: z.enum(['treated', 'holdout']), complete: z.int(), stayed: z.int() }))
          .meta({ description: 'People assigned within a year whose days of the prediction are over.' }),
        effect: z
          .object({
            percentage_points: z.number(),
            interval,
            churn: z.object({ held_out: z.number(), treated: z.number(), reduction: z.number().nullable() }).meta({
              description:
                'Percent that were lost of either arm; `reduction`: (held out − treated) ÷ held out, in percent. Null: nobody was lost of those held out.',
            }),
          })
          .nullable()
          .meta({
            description:
              'How many more of a hundred stayed than of those held out, with Newcombe’s 95 % interval; null: nobody is held out, or it is too early.',
          }),
        protected: z
          .array(amountSchema.extend({ low: z.string(), high: z.string() }))
          .nullable()
          .meta({
            description:
              'How much more an account bought than one that was held out, times the accounts that got interventions in this window; `low` and `high`: the 95 % interval. Null: without a holdout nobody knows.',
          }),
        roi_protected: returnSchema,
      }),
    ),
    channels: z.array(z.object({ channel: z.string(), actions: z.int(), outcomes: counts, cost: costSchema })),
    first_action_ms: z
      .object({ p50: z.number(), p99: z.number() })
      .nullable()
      .meta({ description: 'From the entry into the band to the first action; null: none took place.' }),
    escalation_share: z.object({
      days: z.int(),
      escalated: z.int(),
      suppressed: z.int(),
      accounts: z.int(),
      share: z.number().nullable(),
      alarm: z.boolean(),
    }),
  })
  .meta({ id: 'InterventionFigures' });

const percent = (part: number) => Math.round(part * 10_000) / 100;
const inPercent = (found: { low: number; high: number } | null) => (found === null ? null : { low: percent(found.low), high: percent(found.high) });

const presentSums = (one: InterventionFigures['all']) => ({
  ...{ begun: one.begun, held_out: one.heldOut, actions: one.actions, outcomes: one.outcomes, cost: presentCost(one.cost) },
  success: { cases: one.complete, successes: one.successes, rate: one.rate === null ? null : percent(one.rate), interval: inPercent(one.interval) },
  ...{
    expected_value: presentAmounts(one.expected),
    attributed: presentAmounts(one.attributed),
    roi_attributed: presentReturn(one.returnOnAttributed),
  },
});

const presentChurn = ({ heldOut, treated }: { heldOut: number; treated: number }) => ({
  ...{ held_out: percent(heldOut), treated: percent(treated), reduction: heldOut === 0 ? null : percent((heldOut - treated) / heldOut) },
});

function presentBand(one: BandFigures): z.input<typeof figuresSchema>['bands'][number] {
  const shown = presentSums(one);
  return {
    band: one.band,
    ...shown,
    success: { ...shown.success, means: one.successMeans, target: { from: percent(one.successAim.from), to: percent(one.successAim.to) } },
    arms: (['treated', 'holdout'] as const).map((arm) => ({ arm, ...one.arms[arm] })),
    effect:
      one.effect === null
        ? null
        : { percentage_points: percent(one.effect.difference), interval: inPercent(one.effect.interval), churn: presentChurn(one.effect.churn) },
    protected: one.protected?.map(({ amount, low, high }) => ({ ...presentAmount(amount), low: decimalOf(low), high: decimalOf(high) })) ?? null,
    roi_protected: presentReturn(one.returnOnProtected),
  };
}

export function presentFigures(f: InterventionFigures): z.input<typeof figuresSchema> {
  return {
    ...{ from: isoTime(f.fromMs), to: isoTime(f.toMs), window_days: f.windowDays },
    prediction: { what: f.prediction.what, within_days: f.prediction.withinDays },
    targets: { success_percent: percent(f.aims.success), roi_percent: f.aims.returnPercent, escalated_percent: percent(f.aims.escalated) },
    all: presentSums(f.all),
    bands: f.bands.map(presentBand),
    channels: f.channels.map(({ channel, actions, outcomes, cost }) => ({ channel, actions, outcomes, cost: presentCost(cost) })),
    first_action_ms: f.firstActionMs,
    escalation_share: f.escalations,
  };
}

export const capFiguresSchema = z
  .object({
    from: timeField,
    to: timeField,
    channels: z.array(
      z.object({
        channel: z.string(),
        steps: z.int().meta({ description: 'That were first decided about in these days, each once.' }),
        put_off: z.int().meta({ description: 'Of these, that a cap put off at least once.' }),
        left_out: z.int().meta({ description: 'Of these, that a cap kept from going out at all.' }),
        people: z.int().meta({ description: 'On whose steps a cap acted.' }),
        share: z.number().meta({ description: 'Percent of the steps that a cap put off or left out.' }),
      }),
    ),
  })
  .meta({ id: 'CapFigures' });

export const presentCaps = ({
  fromMs,
  toMs,
  channels,
}: {
  fromMs: number;
  toMs: number;
  channels: CapFigures[];
}): z.input<typeof capFiguresSchema> => ({
  ...{ from: isoTime(fromMs), to: isoTime(toMs) },
  channels: channels.map(({ channel, steps, putOff, leftOut, people, acted }) => ({
    ...{ channel, steps, put_off: putOff, left_out: leftOut, people, share: steps === 0 ? 0 : percent(acted / steps) },
  })),
});

export const rolloutSchema = z
  .object({
    percent: z.number(),
    running: z.array(z.string()).meta({ description: 'Sequences about bands of risk that take people in.' }),
    paused: z.array(z.string()).meta({ description: 'Sequences that are paused: resume them when you want them to go on.' }),
    open: z.int().meta({ description: 'Interventions that have not ended.' }),
  })
  .meta({ id: 'InterventionRollout' });

export const presentRollout = (rollout: Rollout): z.input<typeof rolloutSchema> => rollout;
