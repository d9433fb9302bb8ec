import { expect, test } from 'vitest';
import { settingsChange } from '../../domain/settings-change.ts';

test('nobody switches on that a person approves texts of a model while nothing can approve one', () => {
  expect(settingsChange.safeParse({ modelApproval: false }).success).toBe(true);
  const refused = settingsChange.safeParse({ modelApproval: true });
  expect(refused.error?.issues).toMatchObject([{ path: ['modelApproval'], message: expect.stringContaining('no way to approve') }]);
});

test.each([
  ['https://go.example.com', true],
  ['https://go.example.com/', true],
  ['http://go.example.com', false],
  ['https://go.example.com/links', false],
  ['https://go.example.com:8443', false],
  ['https://go.example.com?x=1', false],
  [`https://${'long.'.repeat(10)}example.com`, false],
  ['go.example.com', false],
  [null, true],
])('links of texts on %s: %s', (smsLinkUrl, accepted) => {
  expect(settingsChange.safeParse({ smsLinkUrl }).success).toBe(accepted);
});
