import { expect, test } from 'vitest';
import { settingsChange } from '../../domain/settings-change.ts';

test('a store has a person approve the texts of models, and says for how many hours a step waits at most', () => {
  expect(settingsChange.safeParse({ modelApproval: true, modelApprovalHours: 12 }).success).toBe(true);
  expect(settingsChange.safeParse({ modelApprovalHours: 169 }).success).toBe(false);
  expect(settingsChange.safeParse({ modelApprovalHours: 0.5 }).success).toBe(false);
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
