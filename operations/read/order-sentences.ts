import type { Words } from '../../domain/subjects/kind.ts';
import { amountOf } from './words.ts';

type Data = Record<string, unknown>;

/**
 * What an order did, as a sentence of an enrollment's story; null: the event is about something else.
 * @param data - as written by db/functions/credit_order.sql and update_order.sql
 */
export function orderSentence({ noun }: Pick<Words, 'noun'>, type: string, data: Data): string | null {
  const value = amountOf(data) ?? 'of unknown value';
  switch (type) {
    case 'recovered':
      return `An order (${value}) was credited to this sequence.${sinceThen(data)}`;
    case 'order_void':
      return `${voidOrder(data['no_revenue'])} (${value}) came for this ${noun}. It is not revenue.`;
    case 'order_corrected':
      return `The shop corrected the order: ${value}.${kept(data)}`;
    case 'order_refunded':
      return `${amount(data)} of the order was refunded.${uncounted(data)}${overRefunded(data)}${kept(data)}`;
    case 'order_edited':
      return `The order was changed: it is worth ${amount(data)} now.${uncounted(data)}${kept(data)}`;
    case 'order_cancelled':
      return 'The order that was credited to this sequence was cancelled.';
    case 'order_restored':
      return `The shop took the cancellation of the order back.${kept(data)}`;
    default:
      return null;
  }
}

const amount = (data: Data) => amountOf({ value_minor: data['amount_minor'], currency: data['amount_currency'] }) ?? 'An unknown amount';
const inOrdersCurrency = (data: Data, minor: unknown) => amountOf({ value_minor: minor, currency: data['currency'] });

function voidOrder(why: unknown): string {
  if (why === 'test') return 'A test order';
  return why === 'declined' ? 'An order that was declined' : 'An order that was cancelled at once';
}

/** Refunds and a cancellation may have arrived before the order itself. */
function sinceThen(data: Data): string {
  if (data['cancelled'] === true) return ' It had been cancelled by then.';
  const refunded = inOrdersCurrency(data, data['refunded_minor']);
  return `${refunded === null ? '' : ` ${refunded} of it had been refunded by then.`}${kept(data)}`;
}

function kept(data: Data): string {
  const net = inOrdersCurrency(data, data['net_minor']);
  return net === null || data['cancelled'] === true || data['not_counted'] === true ? '' : ` ${net} of it is kept.`;
}

const uncounted = (data: Data) => (data['not_counted'] === true ? ' That is not the currency of the order, so it is left out of the figures.' : '');

function overRefunded({ value_minor: value, refunded_minor: refunded }: Data): string {
  return typeof value === 'number' && typeof refunded === 'number' && refunded > value
    ? ' That makes more than was ordered; the figures count 0 for it.'
    : '';
}
