// A customer who had gone cold comes back, and what runs about them ends.   node examples/accounts-at-risk/won-back.mjs
import { setTimeout } from 'node:timers/promises';
import { aCustomer, ask, resumeSequences, withBandsAt } from './store.mjs';

await resumeSequences();
const { id, account } = await aCustomer({ visits: [50, 57, 64], orders: [64, 90] });
const back = await withBandsAt({ early: 0.05, active: 0.98, critical: 0.99 });
try {
  const { band } = await ask('/api/risk/assessments', 'POST', { account, fresh: true });
  const of = async () => (await ask(`/api/interventions?account=${account}`)).data[0];
  console.log(`${band}: ${(await of())?.sequence ?? 'nothing began'}`);
  await ask('/api/behaviour', 'POST', {
    account: { id },
    contact: { email: `${id}@example.com` },
    behaviour: [{ kind: 'order', amount: '92.00', currency: 'EUR', at: new Date().toISOString() }],
  });
  let intervention = await of();
  for (let tries = 0; intervention?.ended_at === null && tries < 120; tries++) {
    await setTimeout(250);
    intervention = await of();
  }
  console.log(`They bought: ${intervention?.status}, ${intervention?.stop_reason}; outcome ${intervention?.outcome ?? 'nothing had gone out yet'}`);
} finally {
  await back();
}
