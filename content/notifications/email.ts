import { escapeHtml } from '../escape-html.ts';
import { brandColorOf } from '../channels/email/brand-color.ts';

/** A link with what it does. */
export interface ButtonLink {
  label: string;
  url: string;
}

export interface PlainEmail {
  subject: string;
  /** Plain text: paragraphs with an empty line between them, items of a list behind `- `. */
  body: string;
  /** The first stands out. */
  buttons: readonly ButtonLink[];
  /** Below everything, small. */
  footer: string;
  storeName: string;
  /** `#rrggbb`. */
  color: string;
}

/** An email to a colleague: no picture, nothing counted, readable in the dark and by every mail program. */
export function renderPlainEmail({ subject, body, buttons, footer, storeName, color }: PlainEmail): { html: string; text: string } {
  const text = [body, ...(buttons.length === 0 ? [] : [buttons.map(({ label, url }) => `${label}: ${url}`).join('\n')]), `-- \n${footer}`].join(
    '\n\n',
  );
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(subject)}</title>
</head>
<body style="margin:0;padding:24px 12px;background:#f4f3ef;color:#23211d;font:16px/1.55 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;background:#ffffff;color:#23211d;border-top:4px solid ${brandColorOf(color)};border-radius:8px">
<tr><td style="padding:28px 28px 8px">
<p style="margin:0 0 4px;font-size:14px;color:#5f5b53">${escapeHtml(storeName)}</p>
<h1 style="margin:0 0 16px;font-size:21px;line-height:1.3">${escapeHtml(subject)}</h1>
${body
  .split(/\n{2,}/)
  .map(blockOf)
  .join('\n')}
</td></tr>
${
  buttons.length === 0
    ? ''
    : `<tr><td style="padding:0 28px 12px">
${buttons.map(buttonOf).join('\n')}
</td></tr>
`
}<tr><td style="padding:12px 28px 24px;font-size:13px;line-height:1.5;color:#5f5b53">${escapeHtml(footer)}</td></tr>
</table>
</td></tr></table>
</body>
</html>
`;
  return { html, text };
}

/** A paragraph, or a list with the line before it. What stands before a colon is its heading. */
function blockOf(block: string): string {
  const lines = block.split('\n');
  const items = lines.filter((line) => line.startsWith('- '));
  const said = lines.filter((line) => !line.startsWith('- '));
  const paragraph = said.length === 0 ? '' : `<p style="margin:0 0 ${items.length > 0 ? 6 : 14}px">${said.map(lineOf).join('<br>')}</p>`;
  const list =
    items.length === 0
      ? ''
      : `<ul style="margin:0 0 14px;padding-left:20px">${items.map((item) => `<li style="margin:0 0 4px">${escapeHtml(item.slice(2))}</li>`).join('')}</ul>`;
  return paragraph + list;
}

function lineOf(line: string): string {
  const [, heading, rest = ''] = /^([\p{L}][^:]{1,40}:)( .*)?$/u.exec(line) ?? [];
  return heading === undefined ? escapeHtml(line) : `<b>${escapeHtml(heading)}</b>${escapeHtml(rest)}`;
}

function buttonOf({ label, url }: ButtonLink, at: number): string {
  const looks = at === 0 ? 'background:#23211d;color:#ffffff' : 'background:#ffffff;color:#23211d';
  return `<a href="${escapeHtml(url)}" style="display:inline-block;margin:0 6px 10px 0;padding:10px 16px;border:1px solid #23211d;border-radius:6px;font-weight:600;text-decoration:none;${looks}">${escapeHtml(label)}</a>`;
}
