// One account: how it stands and why, and the intervention of its band.   node examples/accounts-at-risk/monitor-and-intervene.mjs
import { aCustomer, ask, money, resumeSequences, withBandsAt } from './store.mjs';

await resumeSequences();
const { account } = await aCustomer({ visits: [45, 52, 60, 66], orders: [60, 90, 120] });
const back = await withBandsAt({ early: 0.05, active: 0.98, critical: 0.99 });
try {
  const assessed = await ask('/api/risk/assessments', 'POST', { account, fresh: true });
  console.log(`${assessed.band}: ${assessed.sentence}`);
  for (const { features, weight } of assessed.factors.slice(0, 5)) console.log(`  ${weight.toFixed(3)}  ${features.join(' × ')}`);
  const [intervention] = (await ask(`/api/interventions?account=${account}`)).data;
  if (intervention === undefined) throw new Error(`Nothing began: ${assessed.kept_from ?? 'it is in no band'}.`);
  console.log(`Begun: ${intervention.sequence}, at stake ${money(intervention.at_stake)}`);
  for (const { step, channel, due_at, cost, expected_value } of intervention.actions)
    console.log(
      `  ${step} by ${channel}, due ${due_at}, costs ${money(cost.amounts)}${cost.unknown.length > 0 ? ' (price unknown)' : ''}, expected ${money(expected_value)}`,
    );
} finally {
  await back();
}
