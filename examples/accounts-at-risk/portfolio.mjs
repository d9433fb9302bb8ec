// A whole portfolio: everybody is assessed on a queue of its own.   node examples/accounts-at-risk/portfolio.mjs
import { setTimeout } from 'node:timers/promises';
import { aCustomer, ask } from './store.mjs';

for (const away of [1, 10, 30, 50, 70]) await aCustomer({ visits: [away, away + 7, away + 14], orders: [away + 7] });
let run = await ask('/api/risk/runs', 'POST');
for (let tries = 0; run.state !== 'done' && tries < 240; tries++) {
  await setTimeout(500);
  run = await ask(`/api/risk/runs/${run.id}`);
}
if (run.state !== 'done') throw new Error(`The run ${run.id} is not done after two minutes: is a worker running?`);
console.log(`${run.assessed} assessed, ${run.changed} changed their band, ${run.failed} failed`);
console.log(run.bands);
