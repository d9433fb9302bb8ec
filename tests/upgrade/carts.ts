import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { signGeneric } from '../../local/webhook.ts';

/** What a shopper does with a cart, and when. */
export interface Cart {
  name: string;
  email: string;
  /** The time of the upgrade in which it was left. */
  phase: string;
  /** What ended it; null: its shopper does nothing. */
  end: 'order.placed' | 'message.received' | 'contact.opted_out' | null;
  /** When the API had answered to the end that it was taken, epoch ms; null: not yet, or never. */
  endedAtMs: number | null;
}

export interface Carts {
  all: Cart[];
  /** Carts from here on are of this phase. */
  name(phase: string): void;
  /** No cart comes any more; resolves when every delivery has been taken. */
  stop(): Promise<void>;
}

/** Between two carts. */
const everyMs = 2_500;
/** After the second email: with other processes than at the beginning. */
const endsAfterMs = 70_000;

/**
 * A shop whose carts are left at a steady pace, three of eight of which end early. Deliveries are repeated until they are taken, as shops do.
 * @param ports - of the APIs that are there now; they take turns
 */
export function openCarts(target: { path: string; secret: string }, ports: () => number[]): Carts {
  const all: Cart[] = [];
  let [phase, turn, stopping] = ['', 0, false];
  const open = new Set<Promise<void>>();
  const follow = (work: Promise<void>) => {
    open.add(work);
    void work.finally(() => open.delete(work));
  };

  async function deliver(type: string, data: unknown): Promise<void> {
    const delivery = signGeneric({ url: '', secret: target.secret }, { type, data }, Date.now());
    for (let attempt = 0; ; attempt++) {
      const there = ports();
      const port = there[turn++ % there.length];
      const status = await fetch(`http://127.0.0.1:${port}${target.path}`, { method: 'POST', headers: delivery.headers, body: delivery.body }).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status >= 200 && status < 300) return;
      if (attempt === 60 || (status >= 400 && status < 500)) throw new Error(`a delivery of ${type} was answered ${status}`);
      await sleep(500);
    }
  }
  async function live(cart: Cart): Promise<void> {
    const contact = { email: cart.email, first_name: 'Ada' };
    const items = [{ title: 'Walnut lamp', quantity: 1, price: '129.90', product_url: 'https://shop.example.com/lamp' }];
    await deliver('cart.updated', {
      cart: { id: cart.name, currency: 'EUR', total: '129.90', items, restore_url: `https://shop.example.com/cart/${cart.name}` },
      contact,
    });
    if (cart.end === null) return;
    await sleep(endsAfterMs);
    const said = {
      'order.placed': { order: { id: randomUUID(), currency: 'EUR', total: '129.90' }, cart_id: cart.name, contact },
      'message.received': { contact, channel: 'email', text: 'Is it dimmable?' },
      'contact.opted_out': { contact },
    }[cart.end];
    await deliver(cart.end, said);
    cart.endedAtMs = Date.now();
  }
  const ending = [null, 'order.placed', null, 'message.received', null, 'contact.opted_out', null, null] as const;
  const leaving = (async () => {
    while (!stopping) {
      await sleep(everyMs);
      if (phase === '') continue;
      const name = `${phase}-${all.length}`;
      const cart: Cart = { name, email: `${name}@example.com`, phase, end: ending[all.length % ending.length] ?? null, endedAtMs: null };
      all.push(cart);
      follow(live(cart));
    }
  })();
  return {
    all,
    name: (next) => {
      phase = next;
    },
    async stop() {
      stopping = true;
      await leaving;
      await Promise.all(open);
    },
  };
}
