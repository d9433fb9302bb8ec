import { Liquid } from 'liquidjs';
import { compiledEmail } from '../content/channels/email/compiled.ts';
import { renderEmail } from '../content/channels/email/render.ts';
import { type EmailFacts, emailView } from '../content/channels/email/view.ts';
import { samplesOf } from '../content/samples.ts';
import { subjectKinds } from '../domain/subjects/index.ts';
import { loadPresets } from '../operations/publish-presets.ts';
import { besideFloor, budgeted, known, type Measured, median } from './measure.ts';

const slices = 20;
const perSlice = 100;
const leastRate = 300;

/**
 * Emails a second of processor time, from facts to subject, HTML and text, beside a bare LiquidJS that fills the HTML alone with a view that is ready: by
 * turns, so that what slows the processor slows both. And what compiling costs when a version is published.
 */
export async function measureContent(rounds: number): Promise<Measured> {
  const cold = await loaded();
  const warm = await loaded();
  const stored = cold.presets.find(({ definition }) => definition.sequence === 'cart')?.content ?? {};
  const facts = cartFacts();
  const rates: number[] = [];
  const floors: number[] = [];
  for (const language of ['en', 'fa']) {
    const compiled = compiledEmail.parse(stored[language === 'en' ? 'cart/email_2h' : `cart/email_2h.${language}`]);
    const view = emailView(facts, language);
    const bare = new Liquid({ outputEscape: 'escape' });
    bare.registerFilter('number', String);
    // Sentences that rest on a claim are filled like all others there.
    const html = bare.parse(compiled.html.replace(/\{%-?\s*(?:end)?claim\b[^%]*%\}/g, ''));
    const render = () => void renderEmail(compiled, facts);
    const renderBare = () => void bare.renderSync(html, view);
    for (let slice = 0; slice < slices * rounds + warmUps; slice++) {
      const [floor, rate] = [perSecond(renderBare), perSecond(render)];
      if (slice < warmUps) continue;
      rates.push(rate);
      floors.push(floor);
    }
  }
  const texts = cold.presets.reduce((sum, { content }) => sum + Object.keys(content).length, 0);
  return {
    figures: [
      budgeted('render', median(rates), 'emails/s', `>= ${leastRate}/s on one core`, (rate) => rate >= leastRate),
      besideFloor('render_ratio', median(rates), 'emails/s', median(floors), '>= 20 % of LiquidJS filling the HTML alone', (ratio) => ratio >= 0.2),
      known('compile_presets', cold.ms, 'ms'),
      known('compile_presets_again', warm.ms, 'ms'),
    ],
    notes: [
      `content: medians of ${rates.length} slices of ${perSlice} emails in English and Persian; compile_presets: all ${texts} texts of the presets in a new process, with MJML and every check, and once more in the same process`,
    ],
  };
}

const warmUps = 5;

async function loaded() {
  const before = process.cpuUsage();
  const presets = await loadPresets();
  const { user, system } = process.cpuUsage(before);
  return { presets, ms: (user + system) / 1_000 };
}

/** A cart of which everything is known. */
function cartFacts(): EmailFacts {
  const [first] = samplesOf(subjectKinds.of('cart'));
  if (first === undefined) throw new Error('carts have no samples');
  const url = 'https://mail.example.com/c/0123456789abcdefghijkl';
  return { ...first.facts, subjectUrl: url, unsubscribeUrl: url, openPixelUrl: url };
}

/** Per second of processor time of this process, its garbage collector included. */
function perSecond(work: () => void): number {
  const before = process.cpuUsage();
  for (let i = 0; i < perSlice; i++) work();
  const { user, system } = process.cpuUsage(before);
  return (perSlice * 1_000_000) / Math.max(1, user + system);
}
