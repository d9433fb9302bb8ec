import type { HistoryStage } from '../stage.ts';
import { deliverStop, type Move } from './move.ts';

const order = (stage: HistoryStage, name: string) => ({ id: `order-${name}-${stage.id}`, currency: 'EUR', total: '129.90' });

/** An order that names its cart and nobody. */
export const purchaseByToken: Move = {
  weight: ({ subjects }, run) => (subjects[run] === 'cart' ? 3 : 0),
  make: (stage, run, name) =>
    deliverStop(stage, 'order.placed', { order: order(stage, name), cart_id: stage.people.token(run) }, { kind: 'purchase_by_token', by: { run } }),
};

/** An order that names somebody and no cart. A lead is bought by any order of its person. */
export const purchaseByAddress: Move = {
  weight: () => 2,
  make(stage, run, name) {
    const address = stage.ownerOf(run);
    return deliverStop(
      stage,
      'order.placed',
      { order: order(stage, name), contact: stage.people.contact(address) },
      { kind: 'purchase_by_address', by: { address } },
    );
  },
};

/** An order that names the cart, and the number that its owner shares with somebody who has the same product in their cart. */
export const purchaseWithNumber: Move = {
  weight: ({ shape, subjects }) => (shape === 'shared_number' && subjects.every((s) => s === 'cart') ? 4 : 0),
  make: (stage, run, name) =>
    deliverStop(
      stage,
      'order.placed',
      {
        order: order(stage, name),
        cart_id: stage.people.token(run),
        contact: { ...stage.people.contact(stage.ownerOf(run)), phone: stage.people.phone(0) },
      },
      { kind: 'purchase_with_number', by: { run }, reaches: 'everybody' },
    ),
};
