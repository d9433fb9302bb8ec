import { AsyncLocalStorage } from 'node:async_hooks';
import type { Socket } from 'node:net';
import type { Tx, WithTenant } from '../../db/client.ts';
import { ClaimSlots } from '../../operations/claim-slots.ts';
import type { Sender } from '../../integrations/port.ts';
import type { BuiltDeps } from '../../operations/create-deps.ts';
import { HeldSets } from './held-sets.ts';
import type { Fault, Point, ProcessPlan } from './plan.ts';
import { partsOf, type World } from './world.ts';

/** A worker or an API process, as one operation sees it: with faults of its own, on the shared database. */
export interface MortalProcess {
  name: string;
  deps: BuiltDeps;
  sets: HeldSets;
  /** Resolves when the process has died; never, when it lives. */
  died: Promise<'died'>;
  /** Whether a fault struck it: then its errors are expected. */
  struck(): boolean;
}

export interface ProcessEvents {
  reached(point: Point): void;
  struck(point: Point, fault: Fault): void;
  /** The next call of the step that this process dispatches, by any process. */
  nextCall(): Promise<void>;
}

class KilledError extends Error {}

const never = <T>() => new Promise<T>(() => undefined);
const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/**
 * Give an operation a process that may die, pause, or lose its connection at the points of its plan. A dead process does nothing any
 * more: its connection is closed (as the kernel does it), its provider calls are gone, and whatever it asks for next never answers.
 */
export function startProcess(world: World, name: string, plan: ProcessPlan, events: ProcessEvents): MortalProcess {
  const faults = new Map<string, Fault>(Object.entries(plan.faults));
  const usesProxy = [...faults.values()].some((f) => f.kind === 'lost_commit');
  const db = usesProxy ? world.behindProxy : world.db;
  // A process may have several transactions at once, one after the other in each chain of calls.
  const current = new AsyncLocalStorage<Tx>();
  const open = new Set<Tx>();
  const sets = new HeldSets();
  let dead = false;
  let struck = false;
  let die: (word: 'died') => void = () => undefined;
  const died = new Promise<'died'>((resolve) => (die = resolve));

  const kill = () => {
    if (dead) return;
    dead = true;
    world.farEnd.clientGone(name);
    for (const tx of open) socketOf(tx).destroy();
    die('died');
  };

  async function reach(point: Point): Promise<void> {
    const tx = current.getStore() ?? null;
    // Inside a transaction the pool's client must come back: the error unwinds it, on a connection that is gone already.
    const end = () => {
      if (tx !== null) throw new KilledError('killed');
      return never<void>();
    };
    if (dead) return end();
    events.reached(point);
    const fault = faults.get(point);
    if (fault === undefined) return;
    faults.delete(point);
    struck = true;
    events.struck(point, fault);
    switch (fault.kind) {
      case 'pause':
        await sleep(fault.ms);
        if (dead) return end();
        return;
      case 'pause_into_next_call':
        await events.nextCall();
        await sleep(fault.ms);
        if (dead) return end();
        return;
      case 'crash':
        if (fault.afterMs === 0) {
          kill();
          return end();
        }
        setTimeout(kill, fault.afterMs);
        return;
      case 'cut':
        if (tx !== null) socketOf(tx).destroy();
        return;
      case 'lost_commit':
        if (tx !== null) world.proxy.loseOn(socketOf(tx).localPort ?? 0, fault.fate);
    }
  }

  const mortal =
    (run: WithTenant, beforeCommit: Point | null): WithTenant =>
    async (tenantId, work) => {
      if (dead) return never();
      const mine: Tx[] = [];
      try {
        const result = await run(tenantId, (tx) => {
          mine.push(tx);
          open.add(tx);
          return current.run(tx, async () => {
            if (dead) throw new KilledError('killed');
            const written = await work(tx);
            if (beforeCommit !== null) await reach(beforeCommit);
            if (dead) throw new KilledError('killed');
            return written;
          });
        });
        return dead ? await never() : result;
      } finally {
        for (const tx of mine) open.delete(tx);
      }
    };

  const deps: BuiltDeps = {
    ...world.deps,
    // Of this process: what it holds when it dies must hold up nobody else.
    // More than a worker has: the more that is claimed at once, the more can go wrong.
    claimSlots: new ClaimSlots(8, 8),
    deliverySets: sets,
    db: { ...db, withTenant: mortal(db.withTenant, null), settling: mortal(db.settling, 'settle.before_commit') },
    checkpoints: reach,
    createSenders: (integration) => {
      const sender = world.farEnd.sender(...partsOf(integration), name);
      const mortalSender: Sender = {
        ...sender,
        open: async () => {
          const session = await sender.open();
          return {
            ...session,
            send(payload, key, deadline, begun) {
              if (dead) return never();
              void reach('in_call');
              if (dead) return never();
              return session.send(payload, key, deadline, begun);
            },
          };
        },
      };
      return [mortalSender];
    },
  };
  return { name, deps, sets, died, struck: () => struck };
}

/** The TCP connection beneath a transaction: drizzle keeps the client, the client its stream. */
function socketOf(tx: Tx): Socket {
  return (tx as unknown as { $client: { connection: { stream: Socket } } }).$client.connection.stream;
}
