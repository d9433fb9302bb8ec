// A critical account is handed over to a manager, once in 24 hours.   node examples/accounts-at-risk/escalate.mjs
import { aCustomer, ask } from './store.mjs';

const { account } = await aCustomer({ visits: [50, 57], orders: [57] });
const made = await ask('/api/escalations', 'POST', { subject: account, note: 'They asked how to close their account.' });
console.log(`${made.id}: for ${made.owner ?? 'anybody'}, due ${made.due_at}: ${made.recommendation}`);
const again = await ask('/api/escalations', 'POST', { subject: account });
console.log(`Once more: ${again.suppressed ? again.result : 'made'}`);
await ask(`/api/tasks/${made.id}/accept`, 'POST', { owner: made.owner ?? 'You' });
console.log('Accepted: the automatic steps about them are held.');
const { state, result } = await ask(`/api/tasks/${made.id}/close`, 'POST', { result: 'stays until spring' });
console.log(`${state}: ${result}`);
