import type { StoreContext } from '../../integrations/port.ts';

/** A store in Vienna, as a receiver knows it. */
export const aStore: StoreContext = {
  timeZone: 'Europe/Vienna',
  country: 'AT',
  url: 'https://tea.example.com',
  currency: null,
  addresses: ['hello@tea.example.com'],
};
