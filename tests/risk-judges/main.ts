/**
 * Our risk models beside those of others, on data that others have published: scikit-learn, interpret and lifetimes, in an environment of their own.
 * Run: npm run judge:risk [-- mlc_churn wa_churn attrition credit_data cdnow]. Ends with 1 where a figure misses its bound.
 */
import { z } from 'zod';
import { chanceAlive, fitBuying } from '../../domain/risk/buy-till-you-die.ts';
import { explain } from '../../domain/risk/model.ts';
import { qualityOf } from '../../domain/risk/quality.ts';
import { trainRisk } from '../../domain/risk/train.ts';
import { ask, pythonWithJudges } from './python.ts';

interface DataSet {
  name: string;
  /** Package, item, the column of the outcome, and its value for those who were lost. */
  source: [string, string, string, string];
  /** What our model with pairs has to reach on the rows it has not seen; null: it is only shown. */
  bound: { auc: number; brier: number } | null;
}

const dataSets: DataSet[] = [
  { name: 'mlc_churn', source: ['modeldata', 'mlc_churn', 'churn', 'yes'], bound: { auc: 0.88, brier: 0.06 } },
  { name: 'wa_churn', source: ['modeldata', 'wa_churn', 'churn', 'Yes'], bound: null },
  { name: 'attrition', source: ['modeldata', 'attrition', 'Attrition', 'Yes'], bound: null },
  { name: 'credit_data', source: ['modeldata', 'credit_data', 'Status', 'bad'], bound: null },
];

const rowsSchema = z.array(z.object({ features: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])), lost: z.boolean() }));
const figureSchema = z.object({ name: z.string(), auc: z.number(), brier: z.number(), seconds: z.number() });
const buyersSchema = z.object({ buyers: z.array(z.tuple([z.number(), z.number(), z.number()])), fitted: z.record(z.string(), z.number()) });

const wanted = process.argv.slice(2);
const known = [...dataSets.map(({ name }) => name), 'cdnow'];
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no data set ${unknown.join(', ')}. Known are: ${known.join(', ')}.`);
  process.exit(2);
}
const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name);
const missed: string[] = [];
const python = await pythonWithJudges();
for (const dataSet of dataSets) if (isWanted(dataSet.name)) await judge(dataSet);
if (isWanted('cdnow')) await judgeBuying();
for (const line of missed) console.error(`missed: ${line}`);
process.exitCode = missed.length === 0 ? 0 : 1;

async function judge({ name, source, bound }: DataSet): Promise<void> {
  const rows = rowsSchema.parse(JSON.parse(await ask(python, ['rows', ...source])));
  const learned = rows.filter((_, index) => index % 5 !== 0).map((row, index) => ({ ...row, atMs: index }));
  const unseen = rows.filter((_, index) => index % 5 === 0);
  console.log(`\n${name}: learned from ${learned.length} rows, judged on the ${unseen.length} whose number is divisible by 5`);
  const started = Date.now();
  // The smallest data set has fewer than 200 outcomes of one kind: it is shown all the same.
  const training = trainRisk(learned, { fewestOutcomes: 50 });
  const seconds = (Date.now() - started) / 1_000;
  if (!training.trained) {
    missed.push(`${name}: ${training.detail}`);
    return;
  }
  for (const tried of training.tried) {
    const quality = qualityOf(
      unseen.map(({ features }) => explain(tried.model, features).chance),
      unseen.map(({ lost }) => lost),
    );
    const chosen = tried.name === training.name ? ', chosen on the newest fifth of what it learned from' : '';
    print(`rekindle, ${tried.name.replaceAll('_', ' ')}`, quality, `slope ${quality.calibrationSlope?.toFixed(2)}${chosen}`);
    if (bound === null || tried.name !== 'additive_with_pairs') continue;
    if ((quality.auc ?? 0) < bound.auc) missed.push(`${name}: AUC ${quality.auc} is below ${bound.auc}`);
    if (quality.brier > bound.brier) missed.push(`${name}: Brier ${quality.brier} is above ${bound.brier}`);
  }
  console.log(`  all three of rekindle were learned and calibrated in ${seconds.toFixed(1)} s`);
  const others = (await ask(python, ['models', ...source])).trim().split('\n');
  for (const line of others) {
    const figure = figureSchema.parse(JSON.parse(line));
    print(figure.name, figure, `${figure.seconds.toFixed(1)} s`);
  }
}

async function judgeBuying(): Promise<void> {
  const { buyers, fitted } = buyersSchema.parse(JSON.parse(await ask(python, ['buyers'])));
  const started = Date.now();
  const model = fitBuying(buyers.map(([repeats, lastAt, age]) => ({ repeats, lastAt, age })));
  if (model === null) {
    missed.push('cdnow: nothing was fitted');
    return;
  }
  console.log(`\nBG/NBD on the ${buyers.length} buyers of CDNOW, fitted in ${((Date.now() - started) / 1_000).toFixed(1)} s`);
  for (const name of ['r', 'alpha', 'a', 'b'] as const) {
    console.log(`  ${name.padEnd(6)} ${model[name].toFixed(6)}   lifetimes ${fitted[name]?.toFixed(6)}`);
    if (!(Math.abs(model[name] - (fitted[name] ?? Number.NaN)) < 1e-5))
      missed.push(`cdnow: ${name} is ${model[name]}, lifetimes has ${fitted[name]}`);
  }
  const alive = chanceAlive(model, { repeats: 2, lastAt: 30.43, age: 38.86 });
  console.log(`  still a buyer, with 2 repeats until week 30.43 of 38.86: ${alive.toFixed(6)}`);
  if (Math.abs(alive - 0.72661) > 5e-6) missed.push(`cdnow: ${alive} alive instead of 0.72661`);
}

function print(name: string, { auc, brier }: { auc: number | null; brier: number }, more: string): void {
  console.log(`  ${name.padEnd(32)} AUC ${auc?.toFixed(4)}   Brier ${brier.toFixed(4)}   ${more}`);
}
