import {
  Context,
  evalToken,
  ForTag,
  type Liquid,
  LiquidError,
  Output,
  TablerowTag,
  type Template,
  type Token,
  TokenKind,
  toValueSync,
  Value,
  type VariableSegments,
} from 'liquidjs';
import { closestName } from './closest-name.ts';
import type { CopyPart, CopySource, SourceProblem } from './copy-source.ts';
import { refusedFilters, renderBounded } from './liquid.ts';

/**
 * Check one piece of Liquid against the variables that its messages have: syntax, filters, unknown names in any branch, and values that may be missing
 * where they are printed.
 * @param part - its `line` is where the piece begins in `file`
 * @param views - what it may be rendered with; the first knows everything
 */
export function lintLiquid(engine: Liquid, file: string, part: CopyPart, views: readonly object[]): SourceProblem[] {
  const problem = (token: Token, message: string): SourceProblem => ({ file, line: part.line + (token.getPosition()[0] ?? 1) - 1, message });
  try {
    const template = engine.parse(part.liquid);
    const [everything = {}] = views;
    const wrong = [
      ...unknownNames(engine, template, { ...everything }).map(({ row, message }) => ({ file, line: part.line + row - 1, message })),
      ...outputsAndTags(template).flatMap((node) => filterProblems(engine, node).map((message) => problem(node.token, message))),
    ];
    if (wrong.length > 0) return wrong;
    const empty = new Set<Output>();
    for (const node of outputsAndTags(template)) if (node instanceof Output) watch(node, () => void empty.add(node));
    for (const view of views) renderBounded(engine, template, view);
    return [...empty].map((output) => problem(output.token, missingValue(output)));
  } catch (error) {
    if (!(error instanceof LiquidError)) throw error;
    return [problem(error.token, explained(engine, error))];
  }
}

interface UnknownName {
  row: number;
  message: string;
}

/** @param scope - the variables with what they may be; names that a loop gives are those of its first element */
function unknownNames(engine: Liquid, template: Template[], scope: Record<string, unknown>, only: ReadonlySet<string> | null = null): UnknownName[] {
  const unknown = Object.values(engine.analyzeSync(template).globals)
    .flat()
    .filter((variable) => only === null || only.has(String(variable.segments[0])))
    .filter((variable) => !exists(scope, variable.segments))
    .map((variable) => {
      const name = variable.toString();
      return { row: variable.location.row, message: `unknown variable "${name}"${didYouMean(closestName(name, namesIn(scope)))}` };
    });
  const inLoops = outputsAndTags(template, false).flatMap((node) => {
    if (!(node instanceof ForTag || node instanceof TablerowTag)) return [];
    const [first] = elementsOf(engine, node.collection, scope);
    if (first === undefined) return [];
    const inside = { ...scope, [node.variable]: first, forloop: {}, tablerowloop: {} };
    return unknownNames(engine, node.templates, inside, new Set([...(only ?? []), node.variable]));
  });
  return [...unknown, ...inLoops];
}

function elementsOf(engine: Liquid, collection: ForTag['collection'], scope: Record<string, unknown>): unknown[] {
  const context = new Context(scope, { ...engine.options, strictVariables: false }, { sync: true });
  const found: unknown = collection.kind === TokenKind.FilteredValue ? undefined : toValueSync(evalToken(collection, context));
  return Array.isArray(found) ? found : [];
}

/** Everything in a template, with what stands inside of it. @param intoLoops - whether with what stands inside of loops */
function outputsAndTags(template: Template[], intoLoops = true): Template[] {
  return template.flatMap((node) => {
    const isLoop = node instanceof ForTag || node instanceof TablerowTag;
    const inside = node.children === undefined || (isLoop && !intoLoops) ? [] : toValueSync(node.children(false, true));
    return [node, ...outputsAndTags(inside as Template[], intoLoops)];
  });
}

/** Filters that are known, and refused all the same. */
function filterProblems(engine: Liquid, node: Template): string[] {
  const values = [...(node.arguments?.() ?? [])].filter((value) => value instanceof Value);
  return values.flatMap(({ filters }) =>
    filters.flatMap(({ name }) => {
      const refused = Object.hasOwn(refusedFilters, name) ? refusedFilters[name] : undefined;
      if (refused === 'random') return [`the filter "${name}" is refused: a message that is sent again must say the same`];
      if (refused === 'unbounded') return [`the filter "${name}" is refused: use where, or if within for`];
      const now = name === 'date' && node.token.getText().match(/['"](?:now|today)['"]\s*\|\s*date/);
      if (now) return ['a message knows no present moment: it is written before it is read'];
      // The one that escapes outputs has no name.
      const isUnknown = /^\w+$/.test(name) && engine.filters[name] === undefined;
      return isUnknown ? [`unknown filter "${name}"${suggestedFilter(engine, name)}`] : [];
    }),
  );
}

/** Report where an output prints nothing. */
function watch(output: Output, report: () => void): void {
  output.render = function* (context, emitter) {
    const value: unknown = yield output.value.value(context, false);
    if (value === null || value === undefined || value === '') report();
    emitter.write(value);
  };
}

function missingValue({ token }: Output): string {
  const written = token.getText().replace(/^\{\{-?\s*|\s*-?\}\}$/g, '');
  const name = /^[\w.]+/.exec(written)?.[0] ?? written;
  return `{{ ${written} }} may be missing and leave a gap: write {% if ${name} %}…{% endif %} around its sentence, or {{ ${name} | default: "…" }}`;
}

function explained(engine: Liquid, error: LiquidError): string {
  const message = error.message.replace(/(, file:[^,]*)?, line:\d+, col:\d+$/, '');
  const [, filter] = /^undefined filter: (\w+)/.exec(message) ?? [];
  if (filter !== undefined) return `unknown filter "${filter}"${suggestedFilter(engine, filter)}`;
  const [, tag] = /^tag "(\w+)" not found/.exec(message) ?? [];
  if (tag !== undefined) return `unknown tag "${tag}"${didYouMean(closestName(tag, Object.keys(engine.tags)))}`;
  if (/template steps limit/.test(message)) return 'is too much work for a message: its loops run too often';
  if (/memory alloc limit|render limit/.test(message)) return 'is too much work for a message: it makes too much text';
  return message;
}

const suggestedFilter = (engine: Liquid, name: string) =>
  didYouMean(
    closestName(
      name,
      Object.keys(engine.filters).filter((known) => !Object.hasOwn(refusedFilters, known)),
    ),
  );

const didYouMean = (name: string | null) => (name === null ? '' : `: did you mean ${name}?`);

/** Every variable, with its properties: `cart.items` and not what its elements have. */
function namesIn(scope: Record<string, unknown>, before = ''): string[] {
  return Object.entries(scope).flatMap(([name, value]) => [`${before}${name}`, ...(isRecord(value) ? namesIn(value, `${before}${name}.`) : [])]);
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Addresses written into a file must be https: mail clients warn about others, and proxies drop them. */
export function lintAddresses({ file, text }: CopySource): SourceProblem[] {
  return text.split('\n').flatMap((line, at) => {
    const [address] = line.match(/\b(?:http|ftp|file|javascript|data|vbscript):[^\s"'<>]*/i) ?? [];
    return address === undefined ? [] : [{ file, line: at + 1, message: `"${address}" is not https` }];
  });
}

const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** How long a reader finds a text: an emoji family is one character. */
export const countCharacters = (text: string): number => [...characters.segment(text)].length;

/** What a rendered text must never hold: leftovers of a template, and the marks of a value that was missing. */
export function faultsOfText(text: string): string[] {
  const faults: string[] = [];
  const [raw] = text.match(/\{\{|\{%|\[\[\w*|\bundefined\b|\bNaN\b|\[object/) ?? [];
  if (raw !== undefined) faults.push(`"${raw}" is left in the message`);
  const at = text.search(/ [,.](?=\s|$)|\(\s*\)|“\s*”/m);
  if (at >= 0) {
    const end = text.indexOf('\n', at);
    const hole = text.slice(text.lastIndexOf('\n', at) + 1, end < 0 ? undefined : end).trim();
    faults.push(`a missing value leaves a hole: "${hole}"`);
  }
  return faults;
}
