import axe from 'axe-core';
import { chromium } from 'playwright-core';
import { z } from 'zod';
import { chromiumArgs, chromiumPath } from '../helpers/screenshot.ts';
import { byFinding, type Judge } from './judge.ts';
import { run } from './programs.ts';

/** Rules about pages, which an email is not: it stands inside one, and its reader brings the landmarks. */
const ofPages = ['region', 'landmark-one-main', 'page-has-heading-one', 'bypass'];
const rules = Object.fromEntries(ofPages.map((rule) => [rule, { enabled: false }]));

const results = z.object({
  violations: z.array(z.object({ id: z.string(), help: z.string(), nodes: z.array(z.object({ html: z.string() })) })),
});

/** axe-core in a real browser: contrast as it is drawn, names of links, structure. In both colour schemes. */
export const axeJudge: Judge = {
  name: 'axe',
  missing: async () => ((await run(chromiumPath, ['--version'])).code === null ? 'apt-get install chromium (or set CHROMIUM_PATH)' : null),
  async judge(emails) {
    const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArgs, headless: true });
    const found: { finding: string; email: string }[] = [];
    try {
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await browser.newPage({ viewport: { width: 700, height: 1_200 }, colorScheme });
        // Nothing is fetched: every picture is one whose address is dead.
        await page.route('**', (route) => route.abort());
        for (const { name, html } of emails) {
          await page.setContent(html, { waitUntil: 'load' });
          await page.addScriptTag({ content: axe.source });
          const { violations } = results.parse(await page.evaluate(`axe.run(document, ${JSON.stringify({ rules })})`));
          for (const { id, help, nodes } of violations)
            for (const node of nodes) found.push({ finding: `${colorScheme}: ${id}: ${help}: ${node.html.slice(0, 120)}`, email: name });
        }
        await page.close();
      }
    } finally {
      await browser.close();
    }
    return byFinding(found);
  },
};
