import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { previewMessage } from '../../content/channels/index.ts';
import { linksOfNobody } from '../../content/preview.ts';
import type { CopyFacts } from '../../content/copy-facts.ts';
import { judgeClaims } from '../../domain/claims/index.ts';
import type { LineItem } from '../../domain/events.ts';
import type { Fact } from '../../domain/facts/index.ts';
import { kindOfSequence } from '../../domain/sequence/triggers.ts';
import { subjectKinds } from '../../domain/subjects/index.ts';
import { tenantSettings } from '../../domain/tenant-settings.ts';
import { loadPresets } from '../../operations/publish-presets.ts';
import type { CompiledPreset } from '../../operations/publish-sequence.ts';
import { aMail, aProduct, cartKind } from './a-mail.ts';

// No message contains a number, a link or a code that is not in the facts; judged from the raw facts, apart from the views.

let presets: CompiledPreset[];
beforeAll(async () => void (presets = await loadPresets()));

const nowMs = Date.UTC(2026, 2, 10, 12);
const locales = ['en-US', 'de-AT', 'fr-CA', 'es-MX', 'fa-IR', 'ar-EG', 'ru-RU', 'pt-BR'];

/** The digits of every number in a text, in ASCII, whatever separates their groups and decimals; of groups, also a plain space, as subjects have it. */
function numbersIn(text: string): string[] {
  const tokens = text.replace(/[\u2066-\u2069\u200e\u200f]/g, '').match(/\p{Nd}(?:(?:[.,٬٫’\u00a0\u202f]| (?=\p{Nd}{3}(?!\p{Nd})))?\p{Nd})*/gu) ?? [];
  return tokens.map((token) =>
    Array.from(token.replace(/[^\p{Nd}]/gu, ''))
      .map(asciiDigit)
      .join(''),
  );
}
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0;
  const zero = [0x30, 0x660, 0x6f0].find((first) => code >= first && code < first + 10) ?? 0x30;
  return String(code - zero);
}
/** As a price may be written: `178.00`, and `178` where a currency shows no decimals. */
const amount = (minor: number) => [String(minor).padStart(3, '0'), String(Math.round(minor / 100))];

const item = fc
  .record({
    price: fc.nat({ max: 99_999 }),
    more: fc.nat({ max: 5_000 }),
    quantity: fc.integer({ min: 1, max: 12 }),
    stock: fc.option(fc.integer({ min: 0, max: 40 })),
    title: fc.constantFrom('Blanket', 'Lamp 4000', 'قميص', ''),
  })
  .map(
    ({ price, more, quantity, stock, title }): LineItem =>
      aProduct({
        title,
        quantity,
        priceMinor: price,
        compareAtMinor: more > 2_500 ? price + more : null,
        stock,
        productId: title === '' ? null : title,
        variant: null,
      }),
  );

const given = fc.record({
  items: fc.array(item, { maxLength: 9 }),
  locale: fc.constantFrom(...locales),
  firstName: fc.constantFrom(null, 'Robin', 'مریم'),
  stockAge: fc.integer({ min: -2, max: 30 }),
  review: fc.option(
    fc.record({
      average: fc.integer({ min: 10, max: 50 }).map((n) => n / 10),
      count: fc.integer({ min: 1, max: 5_000 }),
      age: fc.integer({ min: -2, max: 30 }),
    }),
  ),
  total: fc.nat({ max: 999_999 }),
});

const hourMs = 3_600_000;
/** Stated so many hours ago, for a day: at 24 hours it is over, and what lies ahead is not true yet. */
const stated = (age: number) => ({ observedAtMs: nowMs - age * hourMs, expiresAtMs: nowMs - age * hourMs + 24 * hourMs });
const isFresh = (age: number) => age >= 0 && age < 24;

test('every text of the presets says only what is in the facts, and claims only what is fresh and true', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(given, ({ items, locale, firstName, stockAge, review, total }) => {
      const facts: Fact[] = [
        ...items.flatMap(({ stock }, at): Fact[] =>
          stock === null ? [] : [{ id: 's', kind: 'stock', subject: `#${at}`, value: { left: stock }, source: 'cart', ...stated(stockAge) }],
        ),
        ...(review === null
          ? []
          : [
              {
                id: 'r',
                kind: 'review' as const,
                subject: 'Blanket',
                value: { average: review.average, count: review.count, quote: null, author: null },
                source: 'test',
                ...stated(review.age),
              },
            ]),
      ];
      const products = items.map(({ title, priceMinor, stock, productId }, at) => ({
        title,
        ids: [...(productId === null ? [] : [productId]), `#${at}`],
        priceMinor,
        stock,
      }));
      const claims = judgeClaims(
        { products, areas: [], currency: 'USD', leftAtMs: nowMs, facts, before: [], thresholds: { lowStockAt: 5, reviewsFrom: 4 } },
        nowMs,
      );
      const {
        subjectUrl: _,
        unsubscribeUrl: __,
        openPixelUrl: ___,
        ...common
      } = aMail({ items, locale, firstName, totalMinor: total, modifiers: ['LOW_STOCK'] });
      const scarce = items.filter(({ stock, title }) => title !== '' && stock !== null && stock >= 1 && stock <= 5).map(({ stock }) => stock);
      const mayClaimStock = isFresh(stockAge) && items.some(({ stock }) => stock !== null && stock >= 1 && stock <= 5);
      const mayClaimReviews = review !== null && isFresh(review.age) && review.average >= 4 && items.some(({ title }) => title === 'Blanket');
      expect([claims.stock.holds, claims.reviews.holds]).toEqual([mayClaimStock, mayClaimReviews]);

      const known = [
        ...items.flatMap(({ priceMinor, compareAtMinor, quantity, title }) => [
          String(quantity),
          ...numbersIn(title),
          ...[priceMinor, compareAtMinor].flatMap((minor) => (minor === null ? [] : [...amount(minor), ...amount(minor * quantity)])),
          // What is saved, in percent or as an amount.
          ...(priceMinor === null || compareAtMinor === null
            ? []
            : [
                ...amount((compareAtMinor - priceMinor) * quantity),
                ...[Math.round, Math.floor].map((f) => String(f((1 - priceMinor / compareAtMinor) * 100))),
              ]),
        ]),
        ...amount(total),
        ...[items.length, items.length - 1, items.length - 6].map(String),
        ...(mayClaimStock ? scarce.map(String) : []),
        ...(mayClaimReviews ? [...numbersIn(String(review.average)), String(review.count)] : []),
        ...numbersIn(JSON.stringify([common.store, claims.market, 'https://shop.example.com/cart/restore'])),
      ];
      for (const { definition, content } of presets) {
        const kind = kindOfSequence(subjectKinds, definition) ?? cartKind;
        const about =
          kind === cartKind
            ? common.subject
            : {
                kind,
                details: { source: null, interest: 'a kitchen', message: null, url: null, name: null, area: null, band: 'early' },
                valueMinor: null,
                currency: null,
              };
        for (const { content: name, channels } of definition.steps) {
          const channel = channels.find((one) => one === 'email' || one === 'sms' || one === 'onsite');
          if (name === null || channel === undefined) continue;
          const copyFacts: CopyFacts = {
            ...common,
            subject: about,
            claims,
            contact: { ...common.contact, lastName: null },
            settings: tenantSettings.parse({}),
            links: linksOfNobody('https://shop.example.com', kind.link(about.details)),
            isFirst: false,
            sendKey: { enrollmentId: 'e', stepId: 's' },
            nowMs,
          };
          const shown = previewMessage(content, name, channel, copyFacts);
          const where = `${name} in ${locale}`;
          // What its author wrote between the variables.
          const written = numbersIn(
            Object.entries(content)
              .filter(([key]) => key.startsWith(name))
              .map(([, one]) => JSON.stringify(one).replace(/\{\{.*?\}\}|\{%.*?%\}/g, ' '))
              .join(' '),
          );
          const allowed = new Set([...known, ...written]);
          const said = [shown.subject, shown.preheader, shown.cta, shown.text.replace(/https?:\/\/\S+/g, '')]
            .filter((part) => part !== null)
            .join('\n');
          expect(
            numbersIn(said).filter((number) => !allowed.has(number)),
            where,
          ).toEqual([]);
          // Codes: letters and digits in one word.
          const words = said.match(/\b(?=\w*\d)(?=\w*[A-Za-z])\w{4,}\b/g) ?? [];
          expect(words, where).toEqual([]);
          const links = [...(`${shown.text} ${shown.html ?? ''}`.match(/(?:https?|mailto):[^\s"'<>)&]+/g) ?? [])].filter(
            (link) => !link.includes('www.w3.org') && !link.includes('schemas-microsoft'),
          );
          for (const link of links)
            expect(link, where).toMatch(/^(?:https:\/\/shop\.example\.com(?:\/|$)|https:\/\/r\.example\.com\/|mailto:hello@shop\.example\.com$)/);
          for (const { claim, shown: isShown } of shown.claims) expect(isShown, `${where}: ${claim}`).toBe(claims[claim].holds);
        }
      }
    }),
    { numRuns: 25 },
  );
});
