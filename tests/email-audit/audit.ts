import type { AuditedEmail } from './emails.ts';
import type { Judge } from './judge.ts';

/**
 * Ask every judge about every email.
 * @returns whether all of them could be asked and found nothing
 */
export async function audit(judges: readonly Judge[], emails: AuditedEmail[], say: (line: string) => void): Promise<boolean> {
  let clean = true;
  for (const judge of judges) {
    const remedy = await judge.missing();
    if (remedy !== null) {
      clean = false;
      say(`${judge.name}: NOT ASKED, not installed here. Install it: ${remedy}`);
      continue;
    }
    const findings = await judge.judge(emails);
    clean &&= findings.length === 0;
    say(`${judge.name}: ${findings.length === 0 ? 'finds nothing' : `${findings.length} FINDINGS`}`);
    for (const finding of findings) say(`  ${finding}`);
  }
  return clean;
}
