import type { AuditedEmail } from './emails.ts';

/** A program that judges emails. */
export interface Judge {
  name: string;
  /** How to install what it needs and this machine lacks; null: it is ready. */
  missing(): Promise<string | null>;
  /** One line per finding; none where nothing was found. */
  judge(emails: AuditedEmail[]): Promise<string[]>;
}

/** The same finding in many emails is one line that names the first and counts the others. */
export function byFinding(found: { finding: string; email: string }[]): string[] {
  const emails = new Map<string, string[]>();
  for (const { finding, email } of found) emails.set(finding, [...(emails.get(finding) ?? []), email]);
  return [...emails].map(([finding, [first = '', ...others]]) => `${finding} (${first}${others.length === 0 ? '' : ` and ${others.length} more`})`);
}
