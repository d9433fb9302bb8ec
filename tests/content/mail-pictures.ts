/**
 * Draws pictures of the main emails, from the real copy, layout and renderer: light, dark, narrow, and from right to left.
 * Run: npm run pictures [-- folder] (needs Chromium). Without a folder, those of the documents; with one, more to look at.
 */
import { fileURLToPath } from 'node:url';
import { emailContent } from '../../content/channels/email/index.ts';
import { renderEmail } from '../../content/channels/email/render.ts';
import { subjectKinds } from '../../domain/subjects/index.ts';
import { loadPresets } from '../../operations/publish-presets.ts';
import { takeScreenshot } from '../helpers/screenshot.ts';
import { aMail, aProduct, type MailGiven } from './a-mail.ts';

const shop = 'https://shop.example.com/images';

function tile(background: string, drawing: string): { contentType: string; body: string } {
  return {
    contentType: 'image/svg+xml',
    body: `<svg xmlns="http://www.w3.org/2000/svg" width="168" height="168" viewBox="0 0 168 168"><rect width="168" height="168" fill="${background}"/>${drawing}</svg>`,
  };
}

const pictures = {
  [`${shop}/mug.svg`]: tile(
    '#efe3d3',
    '<path d="M112 66h14a18 18 0 0 1 0 36h-14" fill="none" stroke="#b5654a" stroke-width="9"/><path d="M46 52h68v54a20 20 0 0 1-20 20H66a20 20 0 0 1-20-20z" fill="#c9765a"/><path d="M46 52h68v22H46z" fill="#f6efe6"/>',
  ),
  [`${shop}/blanket.svg`]: tile(
    '#dfe6dc',
    '<rect x="38" y="56" width="92" height="24" rx="12" fill="#6f8f7f"/><rect x="34" y="76" width="100" height="26" rx="13" fill="#587a6a"/><rect x="38" y="98" width="92" height="26" rx="13" fill="#476657"/><path d="M52 124v12M68 124v12M84 124v12M100 124v12M116 124v12" stroke="#476657" stroke-width="4" stroke-linecap="round"/>',
  ),
  [`${shop}/lamp.svg`]: tile(
    '#e3e4ea',
    '<path d="M62 40h44l18 46H44z" fill="#e9b44c"/><rect x="80" y="86" width="8" height="40" fill="#4a4e5a"/><rect x="58" y="124" width="52" height="9" rx="4.5" fill="#4a4e5a"/>',
  ),
};

const lead = { source: 'website', interest: 'a kitchen with an island', message: null, url: 'https://shop.example.com/kitchens' };

const given: MailGiven = {
  firstName: 'Robin',
  items: [
    aProduct({ title: 'Stoneware Mug “Dawn”', variant: 'Terracotta, 350 ml', quantity: 2, priceMinor: 2_400, imageUrl: `${shop}/mug.svg` }),
    aProduct({ title: 'Lambswool Blanket', variant: 'Moss, 130 × 180 cm', priceMinor: 8_900, imageUrl: `${shop}/blanket.svg`, stock: 3 }),
    aProduct({ title: 'Paper Table Lamp', variant: null, priceMinor: 6_450, imageUrl: `${shop}/lamp.svg` }),
  ],
  totalMinor: 20_150,
  modifiers: ['LOW_STOCK'],
};

const persian: MailGiven = {
  ...given,
  firstName: 'مریم',
  locale: 'fa-IR',
  currency: 'EUR',
  reviews: { productTitle: 'Lambswool Blanket', averageOfFive: 4.7, count: 128, quote: { text: 'گرم و سبک است.', author: 'نگار' } },
  store: { name: 'گلدان', shippingNote: 'سفارش‌ها ظرف دو روز کاری ارسال می‌شوند.', returnsNote: 'تا ۳۰ روز می‌توانید کالا را پس بفرستید.' },
};
const arabic: MailGiven = {
  ...persian,
  firstName: 'ليلى',
  locale: 'ar-EG',
  store: { name: 'دار الصوف', shippingNote: 'نشحن الطلبات خلال يومي عمل.', returnsNote: 'يمكن إرجاع المنتجات خلال 30 يوماً.' },
};
const russian: MailGiven = { ...given, firstName: 'Ольга', locale: 'ru-RU', currency: 'RUB', store: { supportEmail: null } };
const reduced: MailGiven = {
  ...given,
  items: given.items?.map((item) => ({ ...item, compareAtMinor: (item.priceMinor ?? 0) * 1.25 })) ?? [],
  reviews: persian.reviews ?? null,
};
const bare: MailGiven = {
  firstName: null,
  items: [aProduct({ title: '', variant: null, priceMinor: null, imageUrl: null, productUrl: null })],
  totalMinor: null,
  restoreUrl: null,
  store: { supportEmail: null, shippingNote: null, returnsNote: null },
};

/** A picture: its name, the text, what it says, and how it is looked at. */
const shots: readonly [string, string, MailGiven, { width: number; dark?: boolean }][] = [
  ['mail-desktop', 'cart/email_2h', given, { width: 700 }],
  ['mail-phone', 'cart/email_2h', given, { width: 390 }],
  ['mail-dark', 'cart/email_2h', given, { width: 700, dark: true }],
  ['mail-persian', 'cart/email_24h.fa', persian, { width: 700 }],
];
/** Not for the documents: to be looked at after a change of the layout or the copy. */
const moreShots: typeof shots = [
  ['more-persian-dark', 'cart/email_2h.fa', persian, { width: 390, dark: true }],
  ['more-arabic', 'cart/email_48h.ar', arabic, { width: 700 }],
  ['more-russian-phone', 'cart/email_72h.ru', russian, { width: 390 }],
  ['more-german-reduced', 'cart/email_24h.de', { ...reduced, locale: 'de-DE', currency: 'EUR' }, { width: 700 }],
  ['more-english-reduced-phone', 'cart/email_24h', reduced, { width: 390, dark: true }],
  ['more-bare', 'cart/email_48h', bare, { width: 700 }],
  ['more-lead', 'lead-nurture/email_welcome', given, { width: 390 }],
  ['more-silent', 'silent-lead/checkin_a', given, { width: 390 }],
  ['more-silent-last-persian', 'silent-lead/last_a.fa', { ...given, locale: 'fa-IR' }, { width: 390, dark: true }],
];

const folder = process.argv[2] ?? fileURLToPath(new URL('../../docs/images', import.meta.url));
const wanted = process.argv[2] === undefined ? shots : [...shots, ...moreShots];
const presets = await loadPresets();
for (const [name, text, says, how] of wanted) {
  const stored = presets.flatMap(({ content }) => (Object.hasOwn(content, text) ? [content[text]] : []))[0];
  const kind = subjectKinds.of(text.startsWith('cart/') ? 'cart' : 'lead');
  const about = kind.kind === 'cart' ? {} : { subject: { kind, details: { ...lead }, valueMinor: null, currency: null } };
  const { html } = renderEmail(emailContent.read(stored), { ...aMail(says), ...about });
  await takeScreenshot({ html }, `${folder}/${name}.png`, { ...how, pictures });
}
