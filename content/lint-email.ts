import { type Liquid, LiquidError, type VariableSegments } from 'liquidjs';
import type { CopyPart, EmailSource } from './email-copy.ts';
import { emailView } from './email-view.ts';
import { escapeHtml } from './escape-html.ts';
import type { CompiledEmail } from '../domain/compiled-email.ts';
import { type RenderedEmail, renderEmail } from './render-email.ts';
import { everythingKnown, samples } from './sample-facts.ts';
import type { SourceProblem } from './source-problem.ts';

// Gmail cuts a mail off at 102 KB, with the unsubscribe link in the part that is hidden.
const gmailLimitBytes = 102_400;

/**
 * Check one piece of Liquid against the variables that mails have: syntax, filters, unknown names in any branch.
 * @param part - its `line` is where the piece begins in `file`
 */
export function lintLiquid(engine: Liquid, file: string, part: CopyPart): SourceProblem[] {
  const at = (row: number): number => part.line + row - 1;
  try {
    const template = engine.parse(part.liquid);
    const view = emailView(everythingKnown);
    const { globals } = engine.analyzeSync(template);
    const unknown = Object.values(globals)
      .flat()
      .filter((variable) => !exists(view, variable.segments))
      .map((variable) => ({ file, line: at(variable.location.row), message: `unknown variable "${variable.toString()}"` }));
    if (unknown.length > 0) return unknown;
    // Names inside loops and everything that only shows while running.
    for (const { facts } of samples) engine.renderSync(template, emailView(facts));
    return [];
  } catch (error) {
    if (!(error instanceof LiquidError)) throw error;
    const row = error.token.getPosition()[0] ?? 1;
    return [{ file, line: at(row), message: error.message.replace(/(, file:[^,]*)?, line:\d+, col:\d+$/, '') }];
  }
}

function exists(view: unknown, segments: VariableSegments): boolean {
  let value = view;
  for (const segment of segments) {
    // An index that is itself a variable: what stands behind it shows when the samples are rendered.
    if (typeof segment === 'object') return true;
    if (Array.isArray(value) && (segment === 'first' || segment === 'last' || typeof segment === 'number')) value = value[0];
    else if ((Array.isArray(value) || typeof value === 'string') && segment === 'size') value = value.length;
    else if (isRecord(value) && Object.hasOwn(value, segment)) value = value[segment];
    else return false;
  }
  return true;
}

function isRecord(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Addresses written into a file must be https: mail clients warn about others, and proxies drop them. */
export function lintAddresses({ file, text }: EmailSource): SourceProblem[] {
  return text.split('\n').flatMap((line, at) => {
    const [address] = line.match(/\b(?:http|ftp|file|javascript|data|vbscript):[^\s"'<>]*/i) ?? [];
    return address === undefined ? [] : [{ file, line: at + 1, message: `"${address}" is not https` }];
  });
}

/** Render the mail in every sample state and look for what must be there and what must not. */
export function lintRendered(compiled: CompiledEmail, file: string): SourceProblem[] {
  const problems = samples.flatMap(({ name, facts }) => {
    const { postalAddress } = emailView(facts).store;
    return findFaults(renderEmail(compiled, facts), facts.unsubscribeUrl, postalAddress).map((fault) => `${fault} (with ${name})`);
  });
  return problems.map((message) => ({ file, line: null, message }));
}

function findFaults({ subject, html, text }: RenderedEmail, unsubscribeUrl: string, postalAddress: string): string[] {
  const faults: string[] = [];
  if (!html.includes(`href="${escapeHtml(unsubscribeUrl)}"`) || !text.includes(unsubscribeUrl)) faults.push('the unsubscribe link is missing');
  if (!html.includes(escapeHtml(postalAddress)) || !text.includes(postalAddress)) faults.push('the postal address is missing');
  if (subject === '') faults.push('the subject is empty');
  if (Buffer.byteLength(html) > gmailLimitBytes) faults.push('the mail is larger than the 102 KB that Gmail shows');
  for (const part of [subject, html, text]) {
    const [raw] = part.match(/\{\{|\{%|\[\[\w*|\bundefined\b|\bNaN\b|\[object/) ?? [];
    if (raw !== undefined) faults.push(`"${raw}" is left in the mail`);
  }
  const [empty] = html.match(/<(p|h1|h2|strong|blockquote|title|a|td|s)\b[^>]*>\s*<\/\1>/) ?? [];
  if (empty !== undefined) faults.push(`a missing value leaves an empty ${empty.replace(/\s.*$/s, '>')}`);
  const [hole] = `${subject}\n${text}`.match(/.*(?: [,.](?=\s|$)|\(\s*\)|“\s*”).*/m) ?? [];
  if (hole !== undefined) faults.push(`a missing value leaves a hole: "${hole.trim()}"`);
  return faults;
}
