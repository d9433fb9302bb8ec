import { channels } from '../channels.ts';
import { firstOutside } from '../time/quiet-hours.ts';
import { offsetMsAt } from '../time/zones.ts';
import type { TimeGate } from './gate.ts';
import { chosenChannel } from './gate.ts';

/** Nobody is disturbed in the tenant's quiet hours, on the person's own clock. Off under a time scale. */
export const quietHours: TimeGate = {
  name: 'quiet_hours',
  opensAt(situation, fromMs) {
    const { tenant, person } = situation.facts;
    const channel = chosenChannel(situation);
    if (tenant.quietHours === null || channel === null || !channels[channel].disturbs) return fromMs;
    return firstOutside(tenant.quietHours, person.timeZone, fromMs);
  },
  // The offset explains the decision as well as the zone does, and says less about the person.
  input: ({ facts: { tenant, person }, nowMs }) =>
    tenant.quietHours === null
      ? { off: true }
      : {
          fromMinute: tenant.quietHours.fromMinute,
          toMinute: tenant.quietHours.toMinute,
          utcOffsetMinutes: offsetMsAt(person.timeZone, nowMs) / 60_000,
        },
  note: 'It is night where the person lives.',
};
