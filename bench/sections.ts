import { measureActivities } from './activities.ts';
import { measureBacktest } from './backtest.ts';
import { measureChats } from './chats.ts';
import { measureClaims } from './claims.ts';
import { measureComposition } from './composition.ts';
import { measureContent } from './content.ts';
import { measureDashboard } from './dashboard.ts';
import { measureDispatch } from './dispatch.ts';
import { measureDueToCall } from './due-to-call.ts';
import { measureFigures } from './figures.ts';
import { measureFlashSale } from './flash-sale.ts';
import { measureGrowth } from './growth/growth.ts';
import { measureHistory } from './history.ts';
import { measureImport } from './import.ts';
import { measureLeads } from './leads/leads.ts';
import { measureLists } from './lists.ts';
import { measureLive } from './live.ts';
import type { Measured } from './measure.ts';
import { measureMemory } from './memory.ts';
import type { BenchOptions } from './options.ts';
import { measureNeighbours } from './neighbours.ts';
import { measurePurchases } from './purchases.ts';
import { measureRehearsal } from './rehearsal.ts';
import { measureRisk } from './risk.ts';
import { measureSizes } from './sizes.ts';
import type { BenchStack } from './stack.ts';
import { measureStatements } from './statements.ts';
import { measureWebhooks } from './webhook.ts';
import { measureWorkflows } from './workflow.ts';

/** One part of the benchmark. `unasked`: part of a run without `--only`. */
export interface Section {
  name: string;
  unasked: boolean;
  needsStack: boolean;
  measure(stack: BenchStack | null, options: BenchOptions): Promise<Measured>;
}

const onStack = (name: string, unasked: boolean, measure: (stack: BenchStack, options: BenchOptions) => Promise<Measured>): Section => ({
  name,
  unasked,
  needsStack: true,
  measure(stack, options) {
    if (stack === null) throw new Error(`${name} needs Postgres and Temporal`);
    return measure(stack, options);
  },
});

export const sections: readonly Section[] = [
  { name: 'rehearsal', unasked: true, needsStack: false, measure: (_stack, { rounds }) => measureRehearsal(rounds) },
  { name: 'content', unasked: true, needsStack: false, measure: (_stack, { rounds }) => measureContent(rounds) },
  onStack('composition', false, (stack, { rounds }) => measureComposition(stack, rounds)),
  onStack('webhook', true, (stack, { rounds }) => measureWebhooks(stack, rounds, 500)),
  onStack('workflow', true, (stack, { rounds }) => measureWorkflows(stack, rounds, 100)),
  onStack('due', true, (stack) => measureDueToCall(stack, { light: 0.1, loaded: 0.5 })),
  onStack('dispatch', false, (stack, { rounds }) => measureDispatch(stack, rounds)),
  onStack('dashboard', false, measureDashboard),
  onStack('claims', false, measureClaims),
  onStack('purchases', false, (stack, { rounds }) => measurePurchases(stack, rounds)),
  onStack('history', true, (stack) => measureHistory(stack, 15)),
  onStack('statements', true, (stack) => measureStatements(stack, 20)),
  onStack('memory', true, (stack, { sleeping, say }) => measureMemory(stack, sleeping, say)),
  onStack('flash-sale', false, (stack) => measureFlashSale(stack, { events: 10_000, seconds: 10 })),
  onStack('backtest', false, (stack, { people, say }) => measureBacktest(stack, people, say)),
  onStack('live', false, (stack) => measureLive(stack, { listeners: 1_000, events: 100 })),
  onStack('chats', false, (stack) => measureChats(stack, { people: 200, perSecond: 5 })),
  onStack('risk', false, (stack, { accounts, say }) => measureRisk(stack, accounts, say)),
  onStack('leads', false, measureLeads),
  onStack('import', false, (stack, { rounds }) => measureImport(stack, rounds)),
  onStack('neighbours', false, measureNeighbours),
  onStack('lists', false, measureLists),
  onStack('figures', false, measureFigures),
  onStack('sizes', false, (stack) => measureSizes(stack, 200)),
  onStack('growth', false, measureGrowth),
  // Last: it sets up Temporal's runtime for itself, which a process can do once.
  onStack('activities', false, (stack, { rounds }) => measureActivities(stack, rounds, 100)),
];
