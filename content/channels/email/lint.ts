import type { SourceProblem } from '../../copy-source.ts';
import { escapeHtml } from '../../escape-html.ts';
import { faultsOfText } from '../../lint-liquid.ts';
import type { CompiledEmail } from './compiled.ts';
import { type RenderedEmail, renderView } from './render.ts';
import type { EmailView } from './view.ts';

// Gmail cuts an email off at 102 KB, with the unsubscribe link in the part that is hidden.
const gmailLimitBytes = 102_400;

/** Render the email in every sample state and check what it must and must not contain. */
export function lintRendered(compiled: CompiledEmail, file: string, samples: readonly { name: string; view: EmailView }[]): SourceProblem[] {
  const problems = samples.flatMap(({ name, view }) =>
    findFaults(renderView(compiled, view), view.unsubscribeUrl, view.store.postalAddress).map((fault) => `${fault} (with ${name})`),
  );
  return problems.map((message) => ({ file, line: null, message }));
}

function findFaults({ subject, html, text }: RenderedEmail, unsubscribeUrl: string, postalAddress: string): string[] {
  const faults: string[] = [];
  if (!html.includes(`href="${escapeHtml(unsubscribeUrl)}"`) || !text.includes(unsubscribeUrl)) faults.push('the unsubscribe link is missing');
  if (!html.includes(escapeHtml(postalAddress)) || !text.includes(postalAddress)) faults.push('the postal address is missing');
  if (subject === '') faults.push('the subject is empty');
  if (Buffer.byteLength(html) > gmailLimitBytes) faults.push('the email is larger than the 102 KB that Gmail shows');
  const [raw] = html.match(/\{\{|\{%|\[\[\w*|\bundefined\b|\bNaN\b|\[object/) ?? [];
  if (raw !== undefined) faults.push(`"${raw}" is left in the email`);
  const [empty] = html.match(/<(p|h1|h2|strong|blockquote|title|a|td|s)\b[^>]*>\s*<\/\1>/) ?? [];
  if (empty !== undefined) faults.push(`a missing value leaves an empty ${empty.replace(/\s.*$/s, '>')}`);
  return [...faults, ...faultsOfText(`${subject}\n${text}`)];
}
