/**
 * Draws the pictures of an email for the documents, from the real copy, layout and renderer.
 * Run: npx tsx tests/content/mail-pictures.ts [folder] (needs Chromium; default folder docs/images)
 */
import { fileURLToPath } from 'node:url';
import { compileEmail } from '../../content/channels/email/compile.ts';
import { loadPresetCopy } from '../../content/preset-copy.ts';
import { renderEmail } from '../../content/channels/email/render.ts';
import { takeScreenshot } from '../helpers/screenshot.ts';
import { aMail, aProduct, cartKind } from './a-mail.ts';

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

const facts = aMail({
  firstName: 'Robin',
  items: [
    aProduct({ title: 'Stoneware Mug “Dawn”', variant: 'Terracotta, 350 ml', quantity: 2, priceMinor: 2_400, imageUrl: `${shop}/mug.svg` }),
    aProduct({ title: 'Lambswool Blanket', variant: 'Moss, 130 × 180 cm', priceMinor: 8_900, imageUrl: `${shop}/blanket.svg`, stock: 3 }),
    aProduct({ title: 'Paper Table Lamp', variant: null, priceMinor: 6_450, imageUrl: `${shop}/lamp.svg` }),
  ],
  totalMinor: 20_150,
  modifiers: ['LOW_STOCK'],
});

const folder = process.argv[2] ?? fileURLToPath(new URL('../../docs/images', import.meta.url));
const copy = await loadPresetCopy(fileURLToPath(new URL('../../sequences/cart', import.meta.url)));
const source = copy['cart/email_2h'];
if (source === undefined) throw new Error('sequences/cart/email_2h.liquid is missing');
const { html } = renderEmail(await compileEmail(source, cartKind), facts);
await takeScreenshot({ html }, `${folder}/mail-desktop.png`, { width: 700, pictures });
await takeScreenshot({ html }, `${folder}/mail-phone.png`, { width: 390, pictures });
