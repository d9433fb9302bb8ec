import { fileURLToPath } from 'node:url';
import { compileEmail } from '../../content/channels/email/compile.ts';
import { loadPresetCopy } from '../../content/preset-copy.ts';
import { readCopyName } from '../../domain/sequence/copy-name.ts';
import { renderEmail } from '../../content/channels/email/render.ts';
import type { EmailPayload } from '../../integrations/port.ts';
import { buildMail } from '../../integrations/smtp/build-mail.ts';
import { aMail, aProduct, type MailGiven, cartKind } from '../content/a-mail.ts';

/** One email as it is judged: the HTML that readers draw, and the bytes that servers pass on. */
export interface AuditedEmail {
  /** `cart/email_2h.fa, everything` */
  name: string;
  html: string;
  raw: Buffer;
}

const states: Record<string, MailGiven> = {
  everything: {
    synthetic: true,
    modifiers: ['LOW_STOCK'],
    totalMinor: 40_250,
    openPixelUrl: 'https://mail.example.com/o/token.gif',
    store: { logoUrl: 'https://shop.example.com/logo.png' },
    reviews: { productTitle: 'Lambswool Blanket', averageOfFive: 4.7, count: 128, quote: { text: 'Warm and light.', author: 'Sam' } },
    items: [
      aProduct({ stock: 2, quantity: 2, compareAtMinor: 12_000 }),
      aProduct({ title: '=?utf-8?Q?Mug?= “Dawn”', variant: null, quantity: 0.5, priceMinor: 2_370, imageUrl: null }),
      aProduct({ title: 'قميص قطن (أزرق)', priceMinor: null }),
      ...Array.from({ length: 5 }, (_, i) => aProduct({ title: `Candle ${i + 1}` })),
    ],
  },
  'next to nothing': {
    firstName: null,
    currency: null,
    totalMinor: null,
    restoreUrl: null,
    items: [aProduct({ title: '', variant: null, priceMinor: null, imageUrl: null, productUrl: null })],
    store: { supportEmail: null, shippingNote: null, returnsNote: null },
  },
};

/** How a shop's customers in each language write amounts. */
const readers: Record<string, MailGiven> = {
  en: {},
  de: { locale: 'de-DE', currency: 'EUR' },
  fr: { locale: 'fr-FR', currency: 'EUR' },
  es: { locale: 'es-MX', currency: 'MXN' },
  fa: { locale: 'fa-IR', currency: 'IRR' },
  ar: { locale: 'ar-KW', currency: 'KWD' },
  ru: { locale: 'ru-RU', currency: 'RUB' },
};

/** Every step of the preset, in every language or in some, with everything known and with next to nothing. */
export async function emailsToAudit(languages: readonly string[] = Object.keys(readers)): Promise<AuditedEmail[]> {
  const copy = await loadPresetCopy(fileURLToPath(new URL('../../sequences/cart', import.meta.url)));
  const emails: AuditedEmail[] = [];
  for (const [name, source] of Object.entries(copy)) {
    const read = readCopyName(name);
    if (read?.channel !== null) continue;
    const language = read.language ?? 'en';
    if (!languages.includes(language)) continue;
    const compiled = await compileEmail(source, cartKind, language);
    for (const [state, given] of Object.entries(states)) {
      const rendered = renderEmail(compiled, aMail({ ...readers[language], ...given }));
      emails.push({
        name: `${name}, ${state}`,
        html: rendered.html,
        raw: await bytesOf(rendered, `${name.replace('/', '.')}.${emails.length}`),
      });
    }
  }
  return emails;
}

async function bytesOf(rendered: Pick<EmailPayload, 'subject' | 'html' | 'text'>, id: string): Promise<Buffer> {
  const built = await buildMail({
    channel: 'email',
    messageId: `<${id}@shop.example.com>`,
    from: { name: 'Juniper & Fold', address: 'hello@shop.example.com' },
    replyTo: 'help@shop.example.com',
    to: { name: '山田 "太郎"', address: 'aki..tani.@docomo.example' },
    ...rendered,
    unsubscribeUrl: 'https://mail.example.com/u/token-1',
    dateMs: Date.now(),
  });
  if (built.kind !== 'mail') throw new Error(`the email cannot be built: ${built.reason}`);
  return built.raw;
}
