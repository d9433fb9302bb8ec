import { byFinding, type Judge } from './judge.ts';
import { run } from './programs.ts';

/**
 * Rules that are no finding in a language, with the reason. MIXED_ES looks for words in which some letters are replaced by look-alikes, and finds them
 * wherever Cyrillic sentences name products in Latin letters.
 */
const mistaken = (email: string, rule: string) => rule === 'MIXED_ES' && /\.ru,/.test(email);

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
        if (Number(points) > 0 && !mistaken(name, rule)) found.push({ finding: `${points} points: ${rule}: ${words.trim()}`, email: name });
    }
    return byFinding(found);
  },
};
