import { type Liquid, LiquidError, type VariableSegments } from 'liquidjs';
import type { CopyPart, CopySource, SourceProblem } from './copy-source.ts';

/**
 * Check one piece of Liquid against the variables that its messages have: syntax, filters, unknown names in any branch.
 * @param part - its `line` is where the piece begins in `file`
 * @param views - what it may be rendered with; the first knows everything
 */
export function lintLiquid(engine: Liquid, file: string, part: CopyPart, views: readonly object[]): SourceProblem[] {
  const at = (row: number): number => part.line + row - 1;
  try {
    const template = engine.parse(part.liquid);
    const { globals } = engine.analyzeSync(template);
    const unknown = Object.values(globals)
      .flat()
      .filter((variable) => !exists(views[0], variable.segments))
      .map((variable) => ({ file, line: at(variable.location.row), message: `unknown variable "${variable.toString()}"` }));
    if (unknown.length > 0) return unknown;
    // Names inside loops and everything that only shows while running.
    for (const view of views) engine.renderSync(template, view);
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
export function lintAddresses({ file, text }: CopySource): SourceProblem[] {
  return text.split('\n').flatMap((line, at) => {
    const [address] = line.match(/\b(?:http|ftp|file|javascript|data|vbscript):[^\s"'<>]*/i) ?? [];
    return address === undefined ? [] : [{ file, line: at + 1, message: `"${address}" is not https` }];
  });
}

/** What a rendered text must never hold: leftovers of a template, and the marks of a value that was missing. */
export function faultsOfText(text: string): string[] {
  const faults: string[] = [];
  const [raw] = text.match(/\{\{|\{%|\[\[\w*|\bundefined\b|\bNaN\b|\[object/) ?? [];
  if (raw !== undefined) faults.push(`"${raw}" is left in the message`);
  const [hole] = text.match(/.*(?: [,.](?=\s|$)|\(\s*\)|“\s*”).*/m) ?? [];
  if (hole !== undefined) faults.push(`a missing value leaves a hole: "${hole.trim()}"`);
  return faults;
}
