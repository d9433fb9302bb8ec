import { expect, test } from 'vitest';
import { settingsChange } from '../../domain/settings-change.ts';

test('nobody switches on that a person approves texts of a model while nothing can approve one', () => {
  expect(settingsChange.safeParse({ modelApproval: false }).success).toBe(true);
  const refused = settingsChange.safeParse({ modelApproval: true });
  expect(refused.error?.issues).toMatchObject([{ path: ['modelApproval'], message: expect.stringContaining('no way to approve') }]);
});
