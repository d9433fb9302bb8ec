/**
 * Lets outside programs judge real emails: every step of the preset, in each of its languages, in light and dark.
 * Run: npm run audit:emails [-- axe nu caniemail spamassassin]. Ends with 1 where one of them finds something or cannot be asked.
 */
import { audit } from './audit.ts';
import { axeJudge } from './axe.ts';
import { canIEmailJudge } from './can-i-email.ts';
import { emailsToAudit } from './emails.ts';
import { nuJudge } from './nu.ts';
import { spamAssassinJudge } from './spam-assassin.ts';

const judges = [canIEmailJudge, nuJudge, axeJudge, spamAssassinJudge];
const wanted = process.argv.slice(2).map((name) => name.toLowerCase());
const asked = judges.filter(({ name }) => wanted.length === 0 || wanted.includes(name.toLowerCase()));
const unknown = wanted.filter((name) => !judges.some((judge) => judge.name.toLowerCase() === name));
if (unknown.length > 0) {
  console.error(`Nobody is called ${unknown.join(', ')}. Known are: ${judges.map(({ name }) => name.toLowerCase()).join(', ')}.`);
  process.exit(1);
}
const emails = await emailsToAudit();
console.log(`${emails.length} emails`);
process.exitCode = (await audit(asked, emails, (line) => console.log(line))) ? 0 : 1;
