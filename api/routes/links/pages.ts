import { type Html, html, verbatim } from '../../html.ts';
import type { StoreOfMessage } from '../../../operations/read/store-of-message.ts';

/** Pages that shoppers see. Small, without scripts, readable on a phone and in the dark. */

export const unknownLinkPage = (nonce: string) =>
  page(nonce, 'This link leads nowhere', null, html`<p>It may have been cut off on its way. Open the email again and use the link in it.</p>`);

export const tryAgainPage = (nonce: string) =>
  page(nonce, 'One moment, please', null, html`<p>We could not look that up right now. Please try again in a few seconds.</p>`);

export const confirmPage = (nonce: string, store: StoreOfMessage) =>
  page(
    nonce,
    'No more emails?',
    store,
    html`<p>With one click, <b>${store.name}</b> will send you no more reminders and no advertising.</p>
<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click"><button>Unsubscribe</button></form>
<p class="soft">Nothing has happened yet. If you did not want this, simply close the page.</p>`,
  );

export const donePage = (nonce: string, store: StoreOfMessage | null) =>
  page(
    nonce,
    'You are unsubscribed',
    store,
    html`<p>${store === null ? 'You will get no more of these emails.' : html`<b>${store.name}</b> will send you no more of these emails.`} It takes effect at once.</p>`,
  );

export const notYetPage = (nonce: string, store: StoreOfMessage | null) =>
  page(
    nonce,
    'Almost there',
    store,
    html`<p>An email to you may be on its way right now, so we cannot confirm it yet. Please press the button once more.</p>
<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click"><button>Unsubscribe</button></form>`,
  );

function page(nonce: string, title: string, store: StoreOfMessage | null, body: Html): Html {
  const accent = store !== null && /^#[0-9a-f]{6}$/i.test(store.brandColor) ? store.brandColor : '#1f6f5c';
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">:root { --accent: ${accent}; } ${verbatim(style)}</style>
</head>
<body>
<main>
${store === null ? null : html`<p class="store">${store.name}</p>`}
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
}

const style = `
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100dvh; display: grid; place-items: center; padding: 1.5rem; background: light-dark(#f4f3ef, #141412); color: light-dark(#23211d, #ece9e2); font: 17px/1.55 system-ui, sans-serif; }
main { width: min(27rem, 100%); background: light-dark(#fff, #1e1d1b); border: 1px solid light-dark(#e4e2dc, #35332f); border-top: 4px solid var(--accent); border-radius: .8rem; padding: 2rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .8rem; text-wrap: balance; }
p { margin: 0 0 1.2rem; } p:last-child { margin-bottom: 0; }
.store { margin-bottom: .3rem; font-size: .9rem; color: light-dark(#6b675f, #a5a097); }
.soft { font-size: .9rem; color: light-dark(#6b675f, #a5a097); }
form { margin: 0 0 1.2rem; }
button { width: 100%; padding: .8rem 1rem; font: inherit; font-weight: 600; color: light-dark(#fff, #141412); background: light-dark(#23211d, #ece9e2); border: 0; border-radius: .5rem; cursor: pointer; }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
`;
