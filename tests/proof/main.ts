// `npm run proof`: the send fence on real Postgres under random schedules. See docs/proof.md.
import { parseArgs } from 'node:util';
import { runMutants } from './run-mutants.ts';
import { ownPostgres } from '../chaos/own-postgres.ts';
import { printReport, printViolation } from './print-report.ts';
import { runProof, type Violation } from './run-proof.ts';

const usage = `npm run proof -- [options]

--minutes N      how long histories begin; default 2
--histories N    so many histories instead, however long they take
--seed S         which histories; the same seed gives the same schedules; default: a new one
--history K      the K-th history of the seed alone, again and again
--mutants        prove the proof: leave out one rule after the other and expect a violation within some hundred histories each
--mutant NAME    that one only
--json           the report as JSON, for programs
--database URL   the owner's URL of an empty, migrated database, instead of a Postgres of its own`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    histories: { type: 'string' },
    seed: { type: 'string' },
    history: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    'stop-at': { type: 'string' },
    json: { type: 'boolean', default: false },
    database: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0) return number;
  console.error(`--${name} ${text}: expected a whole number\n\n${usage}`);
  process.exit(2);
}

const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : wholeNumber('seed', values.seed);
const histories = values.histories === undefined ? undefined : wholeNumber('histories', values.histories);
const forMs = values.minutes === undefined && histories !== undefined ? Infinity : Number(values.minutes ?? '2') * 60_000;
if (values.help || !(forMs > 0)) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}

const own = values.database === undefined ? await ownPostgres({ durable: false, log: (line) => console.error(line) }) : null;
try {
  if (values.mutants || values.mutant !== undefined) {
    if (own === null) throw new Error('--mutants needs a Postgres of its own');
    process.exitCode = (await runMutants({ newDatabase: own.newDatabase, seed, only: values.mutant ?? null, say: (line) => console.log(line) }))
      ? 0
      : 1;
  } else {
    const url = values.database ?? (await own?.newDatabase('proof')) ?? '';
    const report = await runProof({
      url,
      seed,
      forMs,
      ...(histories === undefined ? {} : { histories }),
      ...(values['stop-at'] === undefined ? {} : { stopAt: new RegExp(values['stop-at']) }),
      ...(values.history === undefined ? {} : { only: wholeNumber('history', values.history) }),
      ...(values.json
        ? {}
        : { progress: (line: string) => console.error(line), onViolation: (violation: Violation) => printViolation(seed, violation) }),
    });
    if (values.json) console.log(JSON.stringify(report));
    else printReport(report);
    process.exitCode = report.violations.length > 0 ? 1 : 0;
  }
} finally {
  await own?.remove();
}
// Histories cut short by --stop-at may still wait for something.
process.exit();
