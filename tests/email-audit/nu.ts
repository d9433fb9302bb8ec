import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { byFinding, type Judge } from './judge.ts';
import { run } from './programs.ts';
import { findValidator, installation } from './validator-jar.ts';

/** What email needs and HTML forbids; all of it is written by MJML for Outlook on Windows. */
const neededByOutlook = [/^Attribute “xmlns:[vo]” not allowed here\.$/, /^CSS: “mso-[\w-]+”: Property “mso-[\w-]+” doesn't exist\.$/];

const report = z.object({
  messages: z.array(z.object({ type: z.string(), url: z.string(), message: z.string(), extract: z.string().optional() })),
});

/** The Nu validator of the W3C: errors only. Its warnings are about attributes that HTML calls obsolete and Outlook reads. */
export const nuJudge: Judge = {
  name: 'Nu',
  async missing() {
    if ((await run('java', ['-version'])).code === null) return 'apt-get install default-jre-headless';
    return (await findValidator()) === null ? installation.join(' ') : null;
  },
  async judge(emails) {
    const jar = await findValidator();
    if (jar === null) throw new Error('asked for without being there');
    const dir = await mkdtemp(join(tmpdir(), 'rekindle-nu-'));
    try {
      await Promise.all(emails.map(({ html }, at) => writeFile(join(dir, `${at}.html`), html)));
      const { stdout } = await run('java', ['-jar', jar, '--errors-only', '--stdout', '--exit-zero-always', '--format', 'json', dir]);
      const errors = report.parse(JSON.parse(stdout)).messages.filter(({ message }) => !neededByOutlook.some((needed) => needed.test(message)));
      return byFinding(
        errors.map(({ message, url, extract = '' }) => ({
          finding: `${message} ${extract.replace(/\s+/g, ' ').slice(0, 80)}`,
          email: emails[Number(/(\d+)\.html$/.exec(url)?.[1])]?.name ?? url,
        })),
      );
    } finally {
      await rm(dir, { recursive: true });
    }
  },
};
