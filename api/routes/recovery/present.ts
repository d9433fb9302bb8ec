import type { z } from 'zod';
import { cart } from '../../../domain/subjects/cart/index.ts';
import type { SequenceType } from '../../../domain/subjects/cart/segment.ts';
import type { SubjectKinds } from '../../../domain/subjects/index.ts';
import { kindOf } from '../../../operations/subject-row.ts';
import type { CartView, RecoverySequence } from '../../../operations/read/recoveries.ts';
import type { RecoveryEvent } from '../../../operations/read/recovery-events.ts';
import type { Analytics, Figures, KindFigures, Revenue } from '../../../operations/read/analytics.ts';
import type { Amount } from '../../../operations/read/enrollment.ts';
import { endSentence } from '../../../operations/read/summary.ts';
import type { HandStop } from '../../../operations/stop-one.ts';
import type { ExternalId } from '../../../operations/read/external-ids.ts';
import { majorUnits } from '../../../operations/read/major-units.ts';
import { isoTime, isoTimeOrNull } from '../fields.ts';
import type {
  analyticsSchema,
  cartSchema,
  externalIdSchema,
  figuresSchema,
  generalFiguresSchema,
  kindFiguresSchema,
  leftWithSchema,
  nextStepSchema,
  recoveryEventSchema,
  recoverySchema,
  revenueSchema,
  stoppedSchema,
} from './schemas.ts';

export function presentRecovery(s: RecoverySequence): z.input<typeof recoverySchema> {
  return {
    id: s.id,
    cart_id: s.cart.id,
    sequence_type: s.sequenceType,
    current_step: s.stepsCompleted.at(-1) ?? null,
    last_step: s.stepsCompleted.at(-1) ?? null,
    next_step: presentNext(s.next),
    steps_completed: s.stepsCompleted,
    started_at: isoTime(s.startedAtMs),
    completed_at: isoTimeOrNull(s.endedAtMs),
    stopped_reason: s.stoppedReason,
    cart: presentCart(s.cart),
  };
}

export function presentEvent(event: RecoveryEvent): z.input<typeof recoveryEventSchema> {
  const of = { id: event.id, sequence_id: event.sequenceId, timestamp: isoTime(event.atMs) };
  if (event.type === 'email_sent') return { ...of, event_type: event.type, step: event.step };
  const { minor, currency } = event;
  const value = majorUnits(minor, currency);
  return event.type === 'sequence_started'
    ? { ...of, event_type: event.type, cart_value: value, cart_value_minor: minor, currency }
    : { ...of, event_type: event.type, recovered_value: value, recovered_value_minor: minor, currency };
}

function presentCart(cart: CartView): z.input<typeof cartSchema> {
  return {
    id: cart.id,
    external_ids: cart.externalIds.map(presentExternalId),
    store: cart.store,
    status: cart.status,
    customer_email: cart.customerEmail,
    currency: cart.currency,
    total_price: majorUnits(cart.totalMinor, cart.currency),
    total_price_minor: cart.totalMinor,
    when_left: presentLeftWith(cart.whenLeft),
    products: cart.items.map((item) => ({
      title: item.title,
      variant: item.variant,
      quantity: item.quantity,
      price: majorUnits(item.priceMinor, cart.currency),
      price_minor: item.priceMinor,
      image_url: item.imageUrl,
      product_url: item.productUrl,
    })),
    restore_link: cart.restoreUrl,
    abandoned_at: isoTime(cart.abandonedAtMs),
    last_activity_at: isoTime(cart.lastActivityAtMs),
  };
}

/** The result of a stop by hand: the end that counts, which may be an earlier one. */
export function presentStop(kinds: SubjectKinds, { kind, end }: Extract<HandStop, { end: unknown }>): z.input<typeof stoppedSchema> {
  const byHand = end.stopReason === 'manual';
  const note = byHand && end.stopNote !== null ? ` Its note reads: ${end.stopNote}` : '';
  return {
    status: byHand ? 'stopped' : 'already_ended',
    reason: (byHand ? end.stopNote : null) ?? end.stopReason ?? 'completed',
    changed: kind === 'stopped',
    ended_at: isoTime(end.endedAt),
    detail:
      kind === 'stopped'
        ? 'The sequence is stopped: nothing of it goes out any more.'
        : `It had ended before; nothing was changed. ${endSentence(kinds.of(kindOf(end)).words, end)}${note}`,
  };
}

export const presentExternalId = ({ kind, value, integration, connectionId }: ExternalId): z.input<typeof externalIdSchema> => ({
  kind,
  value,
  integration,
  connection: connectionId,
});

export const presentLeftWith = ({ minor, currency }: Amount): z.input<typeof leftWithSchema> => ({
  total_price: majorUnits(minor, currency),
  total_price_minor: minor,
  currency,
});

export const presentNext = (next: { stepId: string; atMs: number } | null): z.input<typeof nextStepSchema> | null =>
  next === null ? null : { id: next.stepId, at: isoTime(next.atMs) };

export function presentAnalytics(days: number, { fromMs, toMs, all, kinds }: Analytics): z.input<typeof analyticsSchema> {
  const carts = kinds.find(({ kind }) => kind === cart.kind);
  const ofType = (type: SequenceType) => presentFigures(carts?.bySegment.find(({ segment }) => segment === type)?.figures ?? noFigures);
  return {
    days,
    from: isoTime(fromMs),
    to: isoTime(toMs),
    ...presentFigures(carts?.all ?? noFigures),
    by_sequence_type: {
      first_time: ofType('first_time'),
      returning: ofType('returning'),
      high_value: ofType('high_value'),
      low_stock: ofType('low_stock'),
    },
    all_subjects: presentGeneral(all),
    by_subject: Object.fromEntries(kinds.map((k) => [k.kind, presentKind(k)])),
  };
}

const noFigures: Figures = {
  totalSequences: 0,
  purchased: 0,
  conversionRate: 0,
  conversionRateInterval: null,
  revenue: [],
  ordersOfUnknownValue: 0,
  avgSequenceLength: 0,
  messages: [],
};

const presentInterval = (interval: Figures['conversionRateInterval']) =>
  interval === null ? null : { low: 100 * interval.low, high: 100 * interval.high, confidence: 0.95 as const };

/** The figures about carts. Only their emails are counted here; other channels are in `by_subject`. */
function presentFigures(f: Figures): z.input<typeof figuresSchema> {
  const emails = f.messages.find(({ channel }) => channel === 'email');
  return {
    recovery_rate: f.conversionRate,
    recovery_rate_interval: presentInterval(f.conversionRateInterval),
    total_sequences: f.totalSequences,
    purchased_sequences: f.purchased,
    recovered_revenue: f.revenue.map(presentRevenue),
    orders_of_unknown_value: f.ordersOfUnknownValue,
    avg_sequence_length: f.avgSequenceLength,
    emails_sent: emails?.sent ?? 0,
    mails_sent: emails?.sent ?? 0,
    open_rate: emails?.openRate ?? null,
    click_rate: emails?.clickRate ?? null,
  };
}

function presentKind({ all, bySegment }: KindFigures): z.input<typeof kindFiguresSchema> {
  return { ...presentGeneral(all), by_segment: Object.fromEntries(bySegment.map(({ segment, figures }) => [segment, presentGeneral(figures)])) };
}

function presentGeneral(f: Figures): z.input<typeof generalFiguresSchema> {
  return {
    total_sequences: f.totalSequences,
    converted_sequences: f.purchased,
    conversion_rate: f.conversionRate,
    conversion_rate_interval: presentInterval(f.conversionRateInterval),
    revenue: f.revenue.map(presentRevenue),
    orders_of_unknown_value: f.ordersOfUnknownValue,
    avg_sequence_length: f.avgSequenceLength,
    messages: f.messages.map(({ channel, sent, openRate, clickRate }) => ({ channel, sent, open_rate: openRate, click_rate: clickRate })),
  };
}

function presentRevenue({ currency, grossMinor, refundedMinor, netMinor, orders, cancelledOrders }: Revenue): z.input<typeof revenueSchema> {
  const adjustedMinor = netMinor - grossMinor + refundedMinor;
  const inMajor = (minor: number) => majorUnits(minor, currency);
  return {
    currency,
    amount: inMajor(netMinor),
    amount_minor: netMinor,
    gross: inMajor(grossMinor),
    gross_minor: grossMinor,
    refunded: inMajor(refundedMinor),
    refunded_minor: refundedMinor,
    adjusted: inMajor(adjustedMinor),
    adjusted_minor: adjustedMinor,
    net: inMajor(netMinor),
    net_minor: netMinor,
    orders,
    cancelled_orders: cancelledOrders,
  };
}
