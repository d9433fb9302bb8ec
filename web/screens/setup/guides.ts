/** Where a shop owner enters the address of a new connection, and for what; by integration. docs/webhooks.md says what each of them does. */
export const guides: Readonly<Record<string, { secret?: string; enter: string }>> = {
  shopify: {
    secret: 'In Shopify’s admin under Settings, Notifications, Webhooks: it stands below the list.',
    enter:
      'In Shopify’s admin under Settings, Notifications, Webhooks, create one with this address, format JSON, for each of: Checkout creation, Checkout update, Order creation, Order payment, Order update, Order cancellation, Refund create, Customer update, Product update.',
  },
  woocommerce: {
    enter:
      'In your shop under WooCommerce, Settings, Advanced, Webhooks, add one with this address and secret for each of: Order created, Order updated, Order restored, Order deleted, Customer created, Customer updated, Product updated.',
  },
  generic: {
    enter: 'Give both to whoever looks after your system: it has to tell of carts that change, orders that are placed, and people who opt out.',
  },
};
