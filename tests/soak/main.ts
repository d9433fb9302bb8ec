// `npm run soak`: simulated stores against the whole installation while its parts are killed at random. See docs/soak.md.
import { parseArgs } from 'node:util';
import { figuresOf } from './figures.ts';
import { printReport, printViolations } from './print-report.ts';
import { isBuilt } from './product-process.ts';
import { runSoak } from './run-soak.ts';

const usage = `npm run soak -- [options]

--minutes N   how long shoppers arrive and faults strike; default 10. What has begun then runs to its end
--seed S      which schedule; the same seed and minutes give the same; default: a new one
--pauses      also stop workers for seconds by SIGSTOP, which is beyond assumption (a) of docs/guarantees.md
--built       run dist/, which npm run build makes, instead of the sources: processes start faster
--json        the figures as JSON, for programs`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    pauses: { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const forMs = Number(values.minutes) * 60_000;
if (values.help || !(forMs > 0) || !Number.isInteger(seed) || seed < 0) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}

if (values.built && !isBuilt()) {
  console.error('There is no dist/: npm run build makes it.');
  process.exit(2);
}

// 72 hours pass in 108 seconds.
const timeScale = 2_400;
const report = await runSoak({
  built: values.built,
  seed,
  forMs,
  timeScale,
  shoppersPerMinute: 40,
  faults: { untilMs: forMs, gapMs: [4_000, 18_000], pauses: values.pauses, longestMs: 15_000 },
  drainMs: 6 * 60_000,
  say: (line) => console.error(line),
});
if (values.json) {
  const list = report.violations.map(({ kind, subject, text }) => ({ kind, subject, text }));
  console.log(JSON.stringify({ ...figuresOf(report), violationList: list }));
} else {
  printReport(report);
  printViolations(report);
}
process.exit(report.violations.length > 0 ? 1 : 0);
