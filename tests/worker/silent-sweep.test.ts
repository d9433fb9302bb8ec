import { randomBytes } from 'node:crypto';
import { expect, inject, test } from 'vitest';
import { lazyClient } from '../../temporal/connect.ts';
import { ensureSilentSweepSchedule } from '../../temporal/prepare-namespace.ts';

// The Schedule of the sweep for silent leads: docs/silent-leads.md

test('it exists once, with its interval, however many workers start, and follows a change of the configuration', async () => {
  const client = lazyClient({ address: inject('temporalAddress'), namespace: 'default', apiKey: null, tls: false });
  const queue = `sweep-${randomBytes(4).toString('hex')}`;
  const ensure = (sweep: { most: number; everySeconds: number }) => ensureSilentSweepSchedule(client, sweep, queue);
  await Promise.all([1, 2, 3].map(() => ensure({ most: 100, everySeconds: 14_400 })));
  const handle = client.schedule.getHandle(`sweep-silent/${queue}`);
  const known = async () => {
    const { spec, action } = await handle.describe();
    return { every: spec.intervals?.[0]?.every, args: action.type === 'startWorkflow' ? action.args : null };
  };
  expect(await known()).toEqual({ every: 14_400_000, args: [{ most: 100, everySeconds: 14_400 }] });
  await ensure({ most: 20, everySeconds: 3_600 });
  expect(await known()).toEqual({ every: 3_600_000, args: [{ most: 20, everySeconds: 3_600 }] });
  await handle.delete();
  await client.connection.close();
});
