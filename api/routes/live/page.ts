import { type Html, html, verbatim } from '../../html.ts';
import { script } from './script.ts';
import { style } from './style.ts';

/** A link of the start page. */
export interface Place {
  href: string;
  name: string;
  what: string;
}

/** The live page. @param stores - markup of every store, made by the feed */
export function livePage(nonce: string, places: readonly Place[], stores: string): Html {
  return frame(
    nonce,
    html`<div class="live"><span id="state" role="status">connecting …</span><button id="hold" aria-pressed="false" hidden>Pause</button></div>`,
    html`${linksHtml(places)}
<div id="stores">${verbatim(stores)}</div>
<noscript><p>Without JavaScript this page does not update by itself: reload it to see what has happened.</p></noscript>`,
    html`<script nonce="${nonce}">${verbatim(script)}</script>`,
  );
}

/** The start page of an installation that others can reach: links only, no personal data. */
export function linksPage(nonce: string, places: readonly Place[]): Html {
  return frame(nonce, null, linksHtml(places), null);
}

const linksHtml = (places: readonly Place[]) =>
  html`<nav aria-label="Places"><ul class="links">${places.map((p) => html`<li><a href="${p.href}"><b>${p.name}</b><span>${p.what}</span></a></li>`)}</ul></nav>`;

/** A page of its own beside the live page. @param title - also its heading */
export function sidePage(nonce: string, title: string, main: Html): Html {
  return frame(nonce, null, html`<p><a href="/">Back to the live page</a></p><h2>${title}</h2>${main}`, null);
}

function frame(nonce: string, beside: Html | null, main: Html, end: Html | null): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rekindle</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${verbatim(style)}</style>
</head>
<body>
<header class="top"><div class="wrap">
<h1>${flame}Rekindle</h1>
<p>Abandoned carts and quiet leads, brought back. One durable workflow each: messages on time, and an end at once when the person buys, replies or opts out.</p>
${beside}
</div></header>
<main class="wrap">${main}</main>
<footer class="wrap foot"><p>More is in the repository: README.md to begin, docs/operations.md to find, stop and restart a sequence, docs/webhooks.md to send your own events.</p></footer>
${end}
</body>
</html>
`;
}

const flame = verbatim(
  '<svg viewBox="0 0 24 24" fill="currentColor" aria-hidden="true"><path d="M12.6 1.5c.5 3.6-1.3 5.4-3.1 7.3C7.7 10.7 6 12.7 6 15.7c0 3.8 2.7 6.8 6 6.8s6-2.9 6-6.6c0-2.5-1.1-4.3-2.3-6-.2 1.5-.8 2.5-1.9 3.1.7-4.3-.2-8.5-1.2-11.5zM12 20.7c-1.6 0-2.8-1.3-2.8-3 0-1.8 1.2-2.7 2.3-4 .4 1.5 1.1 2 1.9 2.7.8.7 1.4 1.1 1.4 2.1 0 1.3-1.3 2.2-2.8 2.2z"/></svg>',
);
