import { type Html, html, verbatim } from './html.ts';

export interface SmallPage {
  /** Styles and scripts bear it. */
  nonce: string;
  title: string;
  body: Html;
  /** Above the title. */
  name?: string;
  /** `#rrggbb`; anything else is left out. */
  accent?: string;
  /** Code of our own. */
  script?: string;
}

/** A page for one thing: readable on a phone and in the dark, and small. */
export function smallPage({ nonce, title, body, name, accent, script }: SmallPage): Html {
  const color = accent !== undefined && /^#[0-9a-f]{6}$/i.test(accent) ? accent : '#1f6f5c';
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">:root { --accent: ${color}; } ${verbatim(style)}</style>
</head>
<body>
<main>
${name === undefined ? null : html`<p class="store">${name}</p>`}
<h1>${title}</h1>
${body}
</main>
${script === undefined ? null : html`<script nonce="${nonce}">${verbatim(script)}</script>`}
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
label { display: block; margin: 0 0 1rem; font-size: .9rem; }
input:not([type=hidden]), select { display: block; width: 100%; margin-top: .3rem; padding: .7rem .8rem; font: inherit; color: inherit; background: light-dark(#fff, #141412); border: 1px solid light-dark(#8a867d, #7d7970); border-radius: .5rem; }
input:focus-visible, select:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
input:read-only { border-style: dashed; }
.fault { color: light-dark(#a1260d, #ff9b85); } .fault:empty { display: none; }
button.second { color: inherit; background: none; border: 1px solid; }
a { color: inherit; }
.choices { list-style: none; margin: 0 0 1.2rem; padding: 0; display: grid; gap: .6rem; }
.choice { display: block; padding: .7rem 1rem; border: 1px solid; border-radius: .5rem; font-weight: 600; text-align: center; text-decoration: none; }
button:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
`;
