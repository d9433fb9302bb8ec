import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileEmail } from '../../content/channels/email/compile.ts';
import { loadPresetCopy } from '../../content/preset-copy.ts';
import { readCopyName } from '../../domain/sequence/copy-name.ts';
import { renderEmail } from '../../content/channels/email/render.ts';
import type { EmailFacts } from '../../content/channels/email/view.ts';
import { samplesOf } from '../../content/samples.ts';
import { parseSequence } from '../../domain/sequence/parse-sequence.ts';
import { kindOfSequence } from '../../domain/sequence/triggers.ts';
import { type AnySubjectKind, subjectKinds } from '../../domain/subjects/index.ts';
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

/** Every email of every preset, in every language or in some, with everything known and with next to nothing. */
export async function emailsToAudit(languages: readonly string[] = Object.keys(readers)): Promise<AuditedEmail[]> {
  const folder = fileURLToPath(new URL('../../sequences', import.meta.url));
  const emails: AuditedEmail[] = [];
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort()) {
    const parsed = parseSequence(await readFile(`${folder}/${file}`, 'utf8'), subjectKinds);
    const kind = parsed.ok ? kindOfSequence(subjectKinds, parsed.definition) : null;
    if (kind === null) throw new Error(`${file} cannot be read`);
    for (const [name, source] of Object.entries(await loadPresetCopy(`${folder}/${basename(file, '.yaml')}`))) {
      const read = readCopyName(name);
      const language = read?.language ?? 'en';
      if (read?.channel !== null || !languages.includes(language)) continue;
      const compiled = await compileEmail(source, kind, language);
      for (const [state, facts] of Object.entries(factsAbout(kind, readers[language] ?? {}))) {
        const rendered = renderEmail(compiled, facts);
        const raw = await bytesOf(rendered, `${name.replace('/', '.')}.${emails.length}`);
        emails.push({ name: `${name}, ${state}`, html: rendered.html, raw });
      }
    }
  }
  return emails;
}

/** Carts have states of their own here, harder than the samples that every text is compiled with; other kinds have the first and the poorest of these. */
function factsAbout(kind: AnySubjectKind, reader: MailGiven): Record<string, EmailFacts> {
  if (kind.kind === cartKind.kind) return Object.fromEntries(Object.entries(states).map(([state, given]) => [state, aMail({ ...reader, ...given })]));
  const { locale = 'en-US' } = reader;
  const wanted = samplesOf(kind).filter(({ name }) => /^(everything known, .*everything|nothing known, .*nothing)/.test(name));
  if (wanted.length !== 2) throw new Error(`the samples of a ${kind.kind} have changed their names`);
  return Object.fromEntries(
    wanted.map(({ name, facts }): [string, EmailFacts] => {
      const { subject, contact } = facts;
      const about = { ...facts, contact: { ...contact, locale }, subjectUrl: kind.link(subject.details), openPixelUrl: null };
      return [name, { ...about, unsubscribeUrl: 'https://mail.example.com/u/token-1' }];
    }),
  );
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
