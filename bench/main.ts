import { arch, cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { Figure } from './measure.ts';
import { measureRehearsal } from './rehearsal.ts';
import { openStack } from './stack.ts';
import { measureWebhooks } from './webhook.ts';
import { measureWorkflows } from './workflow.ts';

/*
 * npm run bench [-- --json] [--rounds 3] [--only webhook,workflow,rehearsal]
 * The figures of design section 10, each beside its bare floor measured in the same run; medians of several rounds.
 */
const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '3' }, only: { type: 'string' } },
});
const rounds = Number(values.rounds);
const wanted = (name: string) => values.only === undefined || values.only.split(',').includes(name);

const figures: Figure[] = [];
const notes: string[] = [];
if (wanted('rehearsal')) figures.push(await measureRehearsal(rounds));
if (wanted('webhook') || wanted('workflow')) {
  const stack = await openStack();
  try {
    for (const [name, measure] of [
      ['webhook', () => measureWebhooks(stack, rounds, 1_000)],
      ['workflow', () => measureWorkflows(stack, rounds, 100)],
    ] as const) {
      if (!wanted(name)) continue;
      const measured = await measure();
      figures.push(...measured.figures);
      notes.push(...measured.notes);
    }
  } finally {
    await stack.close();
  }
}

if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
else {
  const round = (n: number | null) => (n === null ? '–' : n >= 100 ? n.toFixed(0) : n.toFixed(1));
  console.log(`${cpus().length} × ${cpus()[0]?.model ?? arch()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}\n`);
  for (const f of figures) {
    const ratio = f.ratio === null ? '' : `  floor ${round(f.floor)}  ratio ${f.ratio.toFixed(2)}`;
    console.log(`${f.met ? 'met   ' : 'missed'}  ${f.name.padEnd(24)} ${round(f.value)} ${f.unit}${ratio}  (${f.budget})`);
  }
  for (const note of notes) console.log(`        ${note}`);
}
process.exit(0);
