import type { ProofSubject } from './subject.ts';

export const cart: ProofSubject = {
  trigger: 'cart.abandoned',
  quietFor: '1h',
  stopOn: '[purchased, replied, opted_out]',
  html: '<p>{{ cart.leadTitle }}</p>',
  type: 'cart.updated',
  report(token, contact) {
    const items = [{ title: 'Walnut desk lamp', quantity: 1, price: '129.90' }];
    return { cart: { id: token, currency: 'EUR', total: '129.90', items }, contact };
  },
};
