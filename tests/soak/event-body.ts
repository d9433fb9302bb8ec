import type { ShopEvent } from './shopper.ts';

/** The event as a merchant's own system sends it (docs/webhooks.md). Everybody in it is invented. */
export function bodyOf(event: ShopEvent, wallMs: number): unknown {
  const timestamp = new Date(wallMs).toISOString();
  switch (event.type) {
    case 'cart.updated': {
      const total = `${10 + event.revision}.90`;
      const cart = {
        id: event.cart,
        currency: 'EUR',
        total,
        // Its title tells the observer which cart a mail is about.
        items: [{ title: `Walnut lamp (${event.cart})`, quantity: 1, price: total }],
        restore_url: `https://shop.example.com/restore/${event.cart}`,
        created_at: new Date(wallMs - event.ageMs).toISOString(),
      };
      return { type: event.type, timestamp, data: { cart, ...(event.names === null ? {} : { contact: { ...event.names, first_name: 'Ada' } }) } };
    }
    case 'order.placed': {
      const order = { id: event.order, currency: 'EUR', total: '11.90' };
      const cart = event.cart === null ? {} : { cart_id: event.cart };
      return { type: event.type, timestamp, data: { order, ...cart, ...(event.names === null ? {} : { contact: event.names }) } };
    }
    case 'message.received':
      return { type: event.type, timestamp, data: { contact: event.names, channel: 'email', text: 'Is the lamp dimmable?' } };
    case 'contact.opted_out':
      return { type: event.type, timestamp, data: { contact: event.names, channel: 'email', source: 'preference center' } };
  }
}
