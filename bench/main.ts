import { parseArgs } from 'node:util';
import type { Measured } from './measure.ts';
import { parts } from './parts.ts';
import { figuresOf, machine, printMarkdown, printText } from './print.ts';
import { type Section, sections } from './sections.ts';
import { openStack } from './stack.ts';

/*
 * npm run bench -- [options]: every figure that has a budget, each beside its bare floor measured in the same run; medians of several
 * rounds. docs/performance.md explains them.
 */
const everyDay = sections.filter((s) => s.unasked).map((s) => s.name);
const usage = `npm run bench -- [options]

--only a,b,c        of ${sections.map((s) => s.name).join(', ')}
                    default: ${everyDay.join(', ')}
--rounds N          default 3; figures are medians
--json              an array of { name, value, unit, floor, ratio, budget, met }
--markdown          tables for docs/performance.md
--contacts N        growth, lists, dashboard: how many people the tables hold; default 1000000
--events N          growth: how many events of messages; figures: how many events; default 10000000
--asleep a,b,c      growth: open enrollments; default 1000,10000,100000
--workflows N       growth: as many of them, at most, sleep in Temporal too; default 1000
--people N          backtest: whose history is replayed; default 100000, the budget's
--sleeping a,b,c    memory: sleeping workflows; default 0,1000,5000
--leads N           leads: how many went through the preset before; default 1000000
--rows N            neighbours: rows of the other store's import; default 20000
--accounts a,b,c    risk: accounts that are assessed at once; default 1000,10000

Ends with 1 when a section failed; the figures of the others are printed all the same.`;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    contacts: { type: 'string', default: '1000000' },
    events: { type: 'string', default: '10000000' },
    asleep: { type: 'string', default: '1000,10000,100000' },
    workflows: { type: 'string', default: '1000' },
    sleeping: { type: 'string', default: '0,1000,5000' },
    accounts: { type: 'string', default: '1000,10000' },
    leads: { type: 'string', default: '1000000' },
    rows: { type: 'string', default: '20000' },
    people: { type: 'string', default: '100000' },
  },
});

function wholeNumbers(
  name: 'rounds' | 'contacts' | 'events' | 'asleep' | 'workflows' | 'sleeping' | 'people' | 'accounts' | 'leads' | 'rows',
): number[] {
  const numbers = values[name].split(',').map(Number);
  if (numbers.every((n) => Number.isInteger(n) && n >= 0)) return numbers;
  return fail(`--${name} ${values[name]}: expected whole numbers`);
}
const wholeNumber = (name: Parameters<typeof wholeNumbers>[0]) => wholeNumbers(name)[0] ?? 0;

function chosen(): Section[] {
  const names = values.only?.split(',') ?? everyDay;
  for (const name of names) if (!sections.some((s) => s.name === name)) fail(`--only ${name}: there is no such section`);
  return sections.filter((s) => names.includes(s.name));
}

function fail(reason: string): never {
  console.error(`${reason}\n\n${usage}`);
  process.exit(2);
}

if (values.help) {
  console.log(usage);
  process.exit(0);
}
const say = (line: string) => console.error(line);
const run = parts(say);
const options = {
  rounds: Math.max(1, wholeNumber('rounds')),
  contacts: wholeNumber('contacts'),
  events: wholeNumber('events'),
  asleep: wholeNumbers('asleep'),
  workflows: wholeNumber('workflows'),
  sleeping: wholeNumbers('sleeping'),
  people: wholeNumber('people'),
  accounts: wholeNumbers('accounts'),
  leads: wholeNumber('leads'),
  rows: wholeNumber('rows'),
  part: run.run,
  say,
};
const wanted = chosen();
if (!values.json) console.log(`${machine()}\n`);
const all: Measured[] = [];
for (const section of wanted) {
  const measured = await run.run(section.name, async () => {
    // A fresh Postgres and a fresh Temporal for each: nothing that one section leaves behind slows the next.
    const stack = section.needsStack ? await openStack() : null;
    try {
      return await section.measure(stack, options);
    } finally {
      await stack?.close();
    }
  });
  if (measured === null) continue;
  all.push(measured);
  if (values.markdown) printMarkdown(section.name, measured);
  else if (!values.json) printText(section.name, measured);
}
if (values.json) process.stdout.write(`${JSON.stringify(figuresOf(all))}\n`);
process.exit(run.end());
