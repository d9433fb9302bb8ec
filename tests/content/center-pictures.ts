/**
 * Draws the way of an advertising lead and its sequence for docs/retention.md: the steps from the preset's own file, and what one lead gets from the
 * recorded rehearsal, which a test holds to be true.
 * Run: npm run pictures:center [-- folder] (needs Chromium)
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { escapeHtml } from '../../content/escape-html.ts';
import type { StepDefinition } from '../../domain/sequence/definition.ts';
import { parseSequence } from '../../domain/sequence/parse-sequence.ts';
import { takeScreenshot } from '../helpers/screenshot.ts';

const sequences = new URL('../../sequences/', import.meta.url);
const parsed = parseSequence(readFileSync(new URL('lead-nurture.yaml', sequences), 'utf8'));
if (!parsed.ok) throw new Error('the preset cannot be read');
const { steps, goal } = parsed.definition;

const hourMs = 3_600_000;
const span = (ms: number) => (ms === 0 ? 'at once' : ms % (24 * hourMs) === 0 ? `day ${ms / (24 * hourMs)}` : `${ms / hourMs} h`);
const colors: Record<string, string> = { email: '#2f6fb2', sms: '#2f8f5b', call: '#b3632b' };
const nouns: Record<string, string> = { email: 'Email', sms: 'Text', call: 'Call' };

const box = (title: string, lines: readonly string[]) =>
  `<div class="box"><b>${escapeHtml(title)}</b>${lines.map((line) => `<span>${escapeHtml(line)}</span>`).join('')}</div>`;
const arrow = '<div class="arrow">→</div>';
const path = [
  box('Lead ad', ['Meta, your forms,', 'a CSV file, by hand']),
  box('Lead', ['one per person;', 'a repeat fills gaps']),
  box('Campaign', ['source, places,', 'schedule, rate, scripts']),
  box('Sequence', ['emails, texts, calls,', 'each through every gate']),
  box('Tracker', ['Keitaro: sale, reject,', 'rebill; revenue']),
].join(arrow);

const stepBox = ({ id, channels, due, on }: StepDefinition) => {
  const channel = channels[0] ?? 'email';
  const when =
    on === undefined
      ? span(due.delayMs)
      : on.event === 'asked_later'
        ? 'when they ask for it'
        : `${span(due.delayMs)} after ${on.step} was ${on.event}`;
  return `<div class="step" style="border-color:${colors[channel] ?? '#666'}"><i style="background:${colors[channel] ?? '#666'}">${nouns[channel] ?? channel}</i>
    <b>${escapeHtml(when)}</b><code>${escapeHtml(id)}</code></div>`;
};
const row = (some: readonly StepDefinition[]) => `<div class="steps">${some.map(stepBox).join('')}</div>`;

function rehearsal(name: string): string {
  const lines = readFileSync(new URL(`rehearsals/${name}.txt`, sequences), 'utf8')
    .trim()
    .split('\n');
  const events = lines.flatMap((line) => {
    const found = /^(\w{3}) \d{4}-(\d{2})-(\d{2}) (\d{2}:\d{2}) {2}(\w+)\s+(.*)$/.exec(line);
    if (found === null) return [];
    const [, day, month, date, time, did = '', rest = ''] = found;
    const [step, ...more] = rest.split(/\s{2,}/);
    const told = more.join(' ').replace(/: .*$/s, '');
    return [
      `<tr class="${escapeHtml(did)}"><td>${day} ${date}.${month}. ${time}</td><td><i>${escapeHtml(did)}</i></td><td><code>${escapeHtml(step ?? '')}</code></td><td>${escapeHtml(told)}</td></tr>`,
    ];
  });
  return `<table>${events.join('')}</table><p>${escapeHtml(lines.at(-1) ?? '')}</p>`;
}

const style = `body{margin:0;padding:20px;background:#fff;color:#1c2b33;font:14px/1.4 'Noto Sans','DejaVu Sans',sans-serif}
h2{font-size:16px;margin:18px 0 8px}h2:first-child{margin-top:0}p{margin:8px 0 0;color:#4a5b64}
.path,.steps{display:flex;gap:8px;align-items:stretch}.box{flex:1;border:1px solid #b8c6cd;border-radius:8px;padding:10px}
.box span{display:block;color:#4a5b64;font-size:12px}.arrow{align-self:center;color:#7b8b94;font-size:20px}
.step{flex:1;border:1px solid;border-top-width:4px;border-radius:8px;padding:8px;max-width:260px}
.step i{color:#fff;font-style:normal;font-size:11px;border-radius:4px;padding:1px 6px}.step b{display:block;margin:6px 0 2px}
code{font:12px 'DejaVu Sans Mono',monospace;color:#4a5b64}
table{border-collapse:collapse}td{padding:4px 14px 4px 0;vertical-align:top}td i{font-style:normal;font-size:11px;border-radius:4px;padding:1px 6px;background:#e4eaed}
tr.sent i{background:#2f8f5b;color:#fff}tr.deferred i{background:#e8b64c}tr.received i{background:#2f6fb2;color:#fff}`;
const page = (body: string) => `<!doctype html><html lang="en"><meta charset="utf-8"><style>${style}</style><body>${body}</body></html>`;

const folder = process.argv[2] ?? fileURLToPath(new URL('../../docs/images', import.meta.url));
await takeScreenshot(
  {
    html: page(`<h2>From the ad to the sale</h2><div class="path">${path}</div>
      <h2>Lead nurture, counted from the moment the lead comes in</h2>${row(steps.filter(({ on }) => on === undefined))}
      <h2>Inserted when it happens, once each</h2>${row(steps.filter(({ on }) => on !== undefined))}
      <p>A sale within ${goal.withinMs / (24 * hourMs)} days counts. A sale, an answer, an opt-out or a colleague’s call ends everything at once.</p>`),
  },
  `${folder}/retention-path.png`,
  { width: 980, height: 455 },
);
await takeScreenshot(
  {
    html: page(`<h2>A lead in Vienna who says in the call: “call me back tomorrow”</h2>${rehearsal('lead-nurture.callback')}`),
  },
  `${folder}/retention-lead.png`,
  { width: 980, height: 455 },
);
