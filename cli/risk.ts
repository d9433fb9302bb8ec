import { setTimeout } from 'node:timers/promises';
import { type Data, unwrap } from '../sdk/index.ts';
import { collect, type Command, type Context, required, type Row, shown, UsageError } from './command.ts';

export const risk: Command = {
  summary: 'accounts that are about to leave: who, why, and by what they are assessed',
  usage: `rekindle risk                              what is predicted, by what, and how many accounts are in each band
rekindle risk assess <account> [--fresh]   how one account stands, and why
rekindle risk assess --all [--watch]       have the whole portfolio assessed
rekindle risk intervene <account>          begin the sequence of its band, whether or not it has just come into it
rekindle risk interventions [<account>]    what was done about accounts at risk, what it cost, and what came of it
rekindle risk show <intervention>          one of them, action by action
rekindle risk figures [--days N]           what interventions do, cost and bring in
rekindle risk caps [--days N]              how often the caps on messages to one person act
rekindle risk rollout <percent>            let interventions reach so many percent of people; 0 takes everything back
rekindle risk escalate <account> [--note TEXT]  hand it over to a manager, once in 24 hours
rekindle risk list [--band BAND]           the latest assessments
rekindle risk models                       the models that were learned, and how well they do
rekindle risk use [<version>]              let an earlier model assess; without a version the one before

--fresh   assess it now, also where it was assessed within the last five minutes
--watch   stay until the portfolio is assessed`,
  example: 'rekindle risk assess 01920000-0000-7000-8000-000000000000',
  takes: { assess: 1, intervene: 1, interventions: 1, show: 1, figures: 0, caps: 0, rollout: 1, escalate: 1, list: 0, models: 0, use: 1 },
  options: {
    fresh: { type: 'boolean' },
    all: { type: 'boolean' },
    watch: { type: 'boolean' },
    band: { type: 'string' },
    note: { type: 'string' },
    days: { type: 'string' },
  },
  async run({ store, args: [action, target], options }) {
    switch (action) {
      case undefined: {
        const data = unwrap(await store.risk.get());
        return { data, lines: overview(data) };
      }
      case 'assess': {
        if (options['all'] === true) return portfolio(store, options['watch'] === true);
        const data = unwrap(await store.risk.assess({ account: required(target, 'The account’s id'), fresh: options['fresh'] === true }));
        return { data, lines: [lineOf(data), `  ${data.sentence}`, ...reasons(data.factors)] };
      }
      case 'intervene': {
        const data = unwrap(await store.risk.intervene({ account: required(target, 'The account’s id') }));
        const outcome =
          data.begun === null ? `Nothing began: ${data.kept_from ?? 'it is in no band, or a sequence runs already'}.` : `Begun: ${data.begun}`;
        return {
          data,
          lines: [lineOf(data), `  ${outcome}`, ...(data.intervention === null ? [] : linesOfIntervention(data.intervention).slice(1))],
        };
      }
      case 'interventions': {
        const data = await collect(store.interventions.all(target === undefined ? {} : { account: target }));
        return { data, lines: data.length === 0 ? ['There was no intervention.'] : data.map(interventionLine) };
      }
      case 'show': {
        const data = unwrap(await store.interventions.get(required(target, 'The intervention’s id')));
        return { data, lines: linesOfIntervention(data) };
      }
      case 'figures': {
        const data = unwrap(await store.interventions.figures(daysOf(options['days'])));
        return { data, lines: figureLines(data) };
      }
      case 'caps': {
        const data = unwrap(await store.interventions.caps(daysOf(options['days'])));
        const line = ({ channel, steps, put_off: putOff, left_out: leftOut, people, share }: (typeof data.channels)[number]) =>
          `${channel}  ${steps} steps, ${putOff} put off, ${leftOut} left out (${share} %), ${people} people`;
        return { data, lines: data.channels.length === 0 ? ['No step was decided about.'] : data.channels.map(line) };
      }
      case 'rollout': {
        const percent = Number(required(target, 'A percentage'));
        if (!(percent >= 0 && percent <= 100)) throw new UsageError(`"${target ?? ''}" is no percentage from 0 to 100.`);
        const data = unwrap(await store.interventions.rollOut({ percent }));
        const states = [
          data.running.length === 0 ? 'No sequence about a band of risk takes anybody in' : `Taking people in: ${data.running.join(', ')}`,
          ...(data.paused.length === 0 ? [] : [`paused: ${data.paused.join(', ')}`]),
        ];
        return { data, lines: [`Interventions reach ${data.percent} % of people. ${states.join('; ')}. ${data.open} have not ended.`] };
      }
      case 'escalate': {
        const note = options['note'];
        const wish = { subject: required(target, 'The account’s id'), ...(typeof note === 'string' ? { note } : {}) };
        const data = unwrap(await store.tasks.escalate(wish));
        return {
          data,
          lines: [
            data.suppressed ? `Not handed over: ${shown(data.result)}` : `${data.id}  for ${shown(data.owner ?? 'anybody')}, due ${data.due_at}`,
          ],
        };
      }
      case 'list': {
        const band = options['band'];
        const query = typeof band === 'string' ? { band: band as 'early' } : {};
        const data = await collect(store.risk.allAssessments(query));
        return { data, lines: data.length === 0 ? ['No account was assessed.'] : data.map(lineOf) };
      }
      case 'models': {
        const data = unwrap(await store.risk.models());
        const none = `Nothing was learned yet: rules rank. ${data.training?.detail ?? 'Training runs every night.'}`;
        return { data, lines: data.data.length === 0 ? [none] : data.data.map(modelLine) };
      }
      case 'use': {
        const data = unwrap(await store.risk.useModel(target === undefined ? {} : { version: Number(target) }));
        return { data, lines: [modelLine(data)] };
      }
      default:
        throw new UsageError(`risk has no command "${action}".`);
    }
  },
};

const daysOf = (days: unknown) => (typeof days === 'string' ? { days: Number(days) } : {});

interface Money {
  amount: string;
  currency: string;
}
interface Worth {
  cost: { amounts: Money[]; unknown: string[] };
  expected_value: Money[] | null;
  roi: { percent: number | null; multiple: number | null; because: string | null };
}

const money = (amounts: readonly Money[]) =>
  amounts.length === 0 ? '0' : amounts.map(({ amount, currency }) => `${amount} ${currency}`).join(' + ');
const costWords = ({ amounts, unknown }: Worth['cost']) =>
  unknown.length === 0
    ? money(amounts)
    : `${amounts.length === 0 ? 'unknown' : `${money(amounts)} and an unknown part`} (no price for ${unknown.join(', ')})`;
const returnWords = ({ percent, multiple, because }: Worth['roi']) =>
  percent === null || multiple === null ? `ROI unknown (${because ?? ''})` : `ROI ${percent.toFixed(0)} % (${multiple.toFixed(2)} times the cost)`;
const worthWords = ({ cost, expected_value: expected, roi }: Worth) =>
  `cost ${costWords(cost)}, expected ${expected === null ? 'unknown' : money(expected)}, ${returnWords(roi)}`;

type Intervention = Worth & {
  id: string;
  account: string;
  band: string;
  began_at: string;
  outcome: string | null;
  held_out: boolean;
  at_stake: Money[] | null;
  effect: { share: number; from: string } | null;
  actions: (Worth & {
    step: string;
    channel: string;
    state: string;
    reason: string | null;
    due_at: string;
    at: string | null;
    outcome: string | null;
  })[];
};

const interventionLine = (one: Intervention) =>
  `${one.id}  ${one.account}  ${one.band}  ${one.began_at}  ${one.held_out ? 'held out' : (one.outcome ?? 'nothing done')}  ${worthWords(one)}`;

function linesOfIntervention(one: Intervention): string[] {
  const effect = one.effect === null ? 'no effect is known' : `${(100 * one.effect.share).toFixed(1)} more of 100 stay, ${one.effect.from}`;
  return [
    interventionLine(one),
    `  At stake: ${one.at_stake === null ? 'unknown' : money(one.at_stake)}; ${effect}.`,
    ...one.actions.map(
      (action) =>
        `  ${action.step}  ${action.channel}  ${action.at ?? `due ${action.due_at}`}  ${action.outcome ?? `left out${action.reason === null ? '' : ` (${action.reason})`}`}  ${worthWords(action)}`,
    ),
  ];
}

interface BandSums {
  begun: number;
  success: { cases: number; successes: number; rate: number | null; interval: { low: number; high: number } | null };
  cost: Worth['cost'];
  attributed: Money[];
  roi_attributed: Worth['roi'];
}

function figureLines(data: {
  all: BandSums;
  bands: (BandSums & { band: string; protected: (Money & { low: string; high: string })[] | null; roi_protected: Worth['roi'] })[];
  escalation_share: { share: number | null; alarm: boolean };
}): string[] {
  const successWords = ({ success: { cases, successes, rate, interval } }: BandSums) =>
    rate === null || interval === null
      ? 'no window is over'
      : `${successes} of ${cases} came back, ${rate} % (${interval.low} to ${interval.high} %)`;
  const line = (name: string, one: BandSums) =>
    `${name}  ${one.begun} begun; ${successWords(one)}; cost ${costWords(one.cost)}; attributed ${money(one.attributed)}, ${returnWords(one.roi_attributed)}`;
  const { share, alarm } = data.escalation_share;
  return [
    line('all', data.all),
    ...data.bands.flatMap((one) => [
      line(one.band, one),
      one.protected === null
        ? '  Protected: unknown, as nobody was held out long enough.'
        : `  Protected beyond those held out: ${one.protected.map(({ amount, currency, low, high }) => `${amount} ${currency} (${low} to ${high})`).join(', ') || '0'}, ${returnWords(one.roi_protected)}`,
    ]),
    share === null
      ? 'Nobody was assessed.'
      : `Escalated: ${(100 * share).toFixed(1)} % of accounts${alarm ? ', which is more than a twentieth' : ''}.`,
  ];
}

async function portfolio(store: Context['store'], watch: boolean) {
  let data = unwrap(await store.risk.assessPortfolio());
  while (watch && data.state !== 'done') {
    await setTimeout(500);
    data = unwrap(await store.risk.run(data.id));
  }
  const failed = data.failed === 0 ? '' : `, ${data.failed} failed`;
  const bands = Object.entries(data.bands).map(([band, count]) => `${band} ${shown(count)}`);
  return { data, lines: [`${data.id}  ${data.state}  ${data.assessed} assessed, ${data.changed} changed${failed}  (${bands.join(', ')})`] };
}

const overview = (data: Row): string[] => {
  const [prediction, bands, training, cache] = ['prediction', 'bands', 'training', 'cache'].map((name) => data[name] as Row | null);
  const counts = Object.entries(bands ?? {}).map(([band, count]) => `${band} ${shown(count)}`);
  const rate = cache?.['hit_rate'];
  return [
    `Predicted: ${shown(prediction?.['words'])}, by ${shown(data['by'])}.`,
    `Accounts: ${counts.join(', ')}.`,
    ...(data['model'] === null ? [] : [modelLine(data['model'] as Row), ...reliabilityLines(data['model'] as Row)]),
    training === null ? 'Nothing was learned yet: training runs every night.' : `Latest training: ${shown(training?.['detail'])}`,
    ...(typeof rate === 'number' ? [`Answered from memory or the database: ${(100 * rate).toFixed(1)}%.`] : []),
  ];
};

const lineOf = (row: Row) =>
  `${shown(row['account'])}  ${shown(row['band'])}  ${Number(row['score']).toFixed(3)} (${shown(row['basis'])} by ${shown(row['by'])})  ${shown(row['at'])}`;

const reasons = (factors: { features: string[]; weight: number }[]) =>
  factors.slice(0, 8).map(({ features, weight }) => `  ${weight >= 0 ? '+' : ''}${weight.toFixed(3)}  ${features.join(' × ')}`);

/** What was foretold beside what came of it, a line for each bin. */
function reliabilityLines(model: Row): string[] {
  const { reliability } = model['quality'] as { reliability: NonNullable<Data<'GET /api/risk'>['model']>['quality']['reliability'] };
  const share = (value: number) => `${(100 * value).toFixed(1)}%`;
  return (reliability ?? []).map(
    ({ chance, share: lost, interval, examples }) =>
      `  foretold ${share(chance)}: ${share(lost)} of ${examples} were lost (${share(interval.low)} to ${share(interval.high)})`,
  );
}

function modelLine(row: Row): string {
  const { brier_skill: skill, auc, calibration_slope: slope } = row['quality'] as Record<string, number | null>;
  const figure = (value: number | null | undefined) => (value == null ? '–' : value.toFixed(3));
  return `version ${shown(row['version'])}  ${shown(row['role'])}  ${shown(row['name'])}  Brier skill ${figure(skill)}, AUC ${figure(auc)}, calibration slope ${figure(slope)}  (${shown(row['examples'])} examples)`;
}
