import type { StepPreview } from '../../../operations/preview-step.ts';
import { type Html, html } from '../../html.ts';

/** A message as its reader would get it: light and dark, the text part, and its claims with their reasons. @param frame - the address of the email itself, but for its theme */
export function previewHtml(preview: StepPreview, frame: string): Html {
  const { channel, locale, subject, preheader, text, cta, claims } = preview;
  const row = (name: string, value: string | null) => (value === null ? null : html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`);
  return html`<table><tbody>${row('Channel', channel)}${row('Language', locale)}${row('Subject', subject)}${row('Preheader', preheader)}${row('Button', cta)}</tbody></table>
${
  claims.length === 0
    ? null
    : html`<h3>Claims</h3><div class="scroll"><table><thead><tr><th scope="col">Claim</th><th scope="col">Shown</th><th scope="col">Why</th></tr></thead><tbody>${claims.map(
        (c) => html`<tr><td>${c.claim}</td><td>${c.shown ? 'yes' : 'no'}</td><td>${c.why}</td></tr>`,
      )}</tbody></table></div>`
}
${
  preview.html === null
    ? null
    : html`<h3>Light</h3><iframe title="The email, light" sandbox="" src="${`${frame}&theme=light`}" width="640" height="900"></iframe>
<h3>Dark</h3><iframe title="The email, dark" sandbox="" src="${`${frame}&theme=dark`}" width="640" height="900"></iframe>`
}
<h3>${preview.html === null ? 'Text' : 'Text part'}</h3><pre dir="auto">${text}</pre>`;
}

/** The email with the theme that a mail program would choose: what it says for dark mode holds always, or never. */
export const inTheme = (email: string, theme: 'light' | 'dark'): string =>
  email.replace(/@media\s*\(prefers-color-scheme:\s*dark\)/g, theme === 'dark' ? '@media all' : '@media not all');
