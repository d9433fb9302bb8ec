import { expect, test } from 'vitest';
import { audit } from '../email-audit/audit.ts';
import { canIEmailJudge } from '../email-audit/can-i-email.ts';
import { type AuditedEmail, emailsToAudit } from '../email-audit/emails.ts';
import type { Judge } from '../email-audit/judge.ts';
import { run } from '../email-audit/programs.ts';

const email = (html: string): AuditedEmail => ({ name: 'an email', html, raw: Buffer.from('') });

async function auditWith(judges: Judge[], html = '<p>Hello</p>') {
  const lines: string[] = [];
  const clean = await audit(judges, [email(html)], (line) => void lines.push(line));
  return { clean, lines };
}

const content: Judge = { name: 'content', missing: () => Promise.resolve(null), judge: () => Promise.resolve([]) };

test('what is not installed is named with its remedy, and the audit is not clean', async () => {
  const absent: Judge = { ...content, name: 'absent', missing: () => Promise.resolve('apt-get install absent') };
  expect(await auditWith([absent, content])).toEqual({
    clean: false,
    lines: ['absent: NOT ASKED, not installed here. Install it: apt-get install absent', 'content: finds nothing'],
  });
  expect(await auditWith([content])).toMatchObject({ clean: true });
  expect((await run('no-such-program-anywhere', [])).code).toBeNull();
});

test('a finding makes it unclean', async () => {
  const strict: Judge = { ...content, name: 'strict', judge: (emails) => Promise.resolve(emails.map(({ html }) => `odd: ${html}`)) };
  expect(await auditWith([strict])).toEqual({ clean: false, lines: ['strict: 1 FINDINGS', '  odd: <p>Hello</p>'] });
});

test('caniemail finds what no mail program shows, and nothing in the emails of the preset', async () => {
  expect(await canIEmailJudge.judge([email('<p style="position:absolute">Hello</p><video src="x"></video>')])).not.toEqual([]);
  expect(await canIEmailJudge.judge(await emailsToAudit(['en', 'fa']))).toEqual([]);
}, 60_000);
