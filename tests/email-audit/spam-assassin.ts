import { byFinding, type Judge } from './judge.ts';
import { run } from './programs.ts';

/** SpamAssassin with its local rules, nothing asked of the network. Every rule that costs points is a finding, however few. */
export const spamAssassinJudge: Judge = {
  name: 'SpamAssassin',
  missing: async () => ((await run('spamassassin', ['--version'])).code === null ? 'apt-get install spamassassin' : null),
  async judge(emails) {
    const found: { finding: string; email: string }[] = [];
    for (const { name, raw } of emails) {
      const { stdout } = await run('spamassassin', ['--local', '--test-mode', '--nocreate-prefs'], raw);
      const details = stdout.slice(stdout.lastIndexOf('Content analysis details:'));
      if (!/^Content analysis details:\s+\(-?[\d.]+ points/.test(details)) throw new Error(`SpamAssassin gave no report about ${name}`);
      for (const [, points, rule = '', words = ''] of details.matchAll(/^\s*(-?\d+\.\d)\s+(\w+)\s+(.*)$/gm))
        if (Number(points) > 0) found.push({ finding: `${points} points: ${rule}: ${words.trim()}`, email: name });
    }
    return byFinding(found);
  },
};
