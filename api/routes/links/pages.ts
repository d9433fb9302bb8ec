import { type Html, html } from '../../html.ts';
import { smallPage } from '../../small-page.ts';
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

const page = (nonce: string, title: string, store: StoreOfMessage | null, body: Html): Html =>
  smallPage({ nonce, title, body, ...(store === null ? {} : { name: store.name, accent: store.brandColor }) });
