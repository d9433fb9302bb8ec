import { setTimeout } from 'node:timers/promises';
import { unwrap } from '../sdk/index.ts';
import { collect, type Command, type Context, required, type Row, shown, UsageError } from './command.ts';

export const risk: Command = {
  summary: 'accounts that are about to leave: who, why, and by what they are assessed',
  usage: `rekindle risk                              what is predicted, by what, and how many accounts are in each band
rekindle risk assess <account> [--fresh]   how one account stands, and why
rekindle risk assess --all [--watch]       have the whole portfolio assessed
rekindle risk intervene <account>          begin the sequence of its band, whether or not it has just come into it
rekindle risk escalate <account> [--note TEXT]  hand it over to a manager, once in 24 hours
rekindle risk list [--band BAND]           the latest assessments
rekindle risk models                       the models that were learned, and how well they do
rekindle risk use [<version>]              let an earlier model assess; without a version the one before

--fresh   assess it now, also where it was assessed within the last five minutes
--watch   stay until the portfolio is assessed`,
  example: 'rekindle risk assess 01920000-0000-7000-8000-000000000000',
  takes: { assess: 1, intervene: 1, escalate: 1, list: 0, models: 0, use: 1 },
  options: { fresh: { type: 'boolean' }, all: { type: 'boolean' }, watch: { type: 'boolean' }, band: { type: 'string' }, note: { type: 'string' } },
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
        return { data, lines: [lineOf(data), `  ${outcome}`] };
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
    ...(data['model'] === null ? [] : [modelLine(data['model'] as Row)]),
    training === null ? 'Nothing was learned yet: training runs every night.' : `Latest training: ${shown(training?.['detail'])}`,
    ...(typeof rate === 'number' ? [`Answered from memory or the database: ${(100 * rate).toFixed(1)}%.`] : []),
  ];
};

const lineOf = (row: Row) =>
  `${shown(row['account'])}  ${shown(row['band'])}  ${Number(row['score']).toFixed(3)} (${shown(row['basis'])} by ${shown(row['by'])})  ${shown(row['at'])}`;

const reasons = (factors: { features: string[]; weight: number }[]) =>
  factors.slice(0, 8).map(({ features, weight }) => `  ${weight >= 0 ? '+' : ''}${weight.toFixed(3)}  ${features.join(' × ')}`);

function modelLine(row: Row): string {
  const { brier_skill: skill, auc, calibration_slope: slope } = row['quality'] as Record<string, number | null>;
  const figure = (value: number | null | undefined) => (value == null ? '–' : value.toFixed(3));
  return `version ${shown(row['version'])}  ${shown(row['role'])}  ${shown(row['name'])}  Brier skill ${figure(skill)}, AUC ${figure(auc)}, calibration slope ${figure(slope)}  (${shown(row['examples'])} examples)`;
}
