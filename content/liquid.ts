import { Context, type Emitter, type FilterImplOptions, Liquid, type Template, toValueSync } from 'liquidjs';
import { isRightToLeft } from '../domain/languages.ts';
import { ClaimTag } from './claim-tag.ts';
import { formatDate, isDateStyle } from './dates.ts';
import { escapeHtml } from './escape-html.ts';
import { numberFormat } from './intl-formats.ts';

// Liquid is what merchants edit, so it gets no files, no prototypes and bounded work. Limits are far above any message.
const limits = {
  strictVariables: true,
  strictFilters: true,
  ownPropertyOnly: true,
  templates: {},
  parseLimit: 300_000,
  /** Characters and list elements that are made, those that are printed included. An email is 60,000. */
  memoryLimit: 2_000_000,
  /** Milliseconds; wide, since a busy process may pause a render. */
  renderLimit: 2_000,
} as const;

/** Pieces of a template that are rendered, each pass of a loop anew. A message has a few hundred; time alone would depend on the machine. */
const mostPieces = 20_000;

/**
 * Filters that no published text may use, with the reason. Versions from before keep them. `random`: a retry would say something else;
 * `unbounded`: they evaluate code for each element, which no limit sees.
 */
export const refusedFilters: Readonly<Record<string, 'random' | 'unbounded'>> = {
  sample: 'random',
  shuffle: 'random',
  where_exp: 'unbounded',
  reject_exp: 'unbounded',
  group_by_exp: 'unbounded',
  find_exp: 'unbounded',
  find_index_exp: 'unbounded',
  has_exp: 'unbounded',
};

/** What a filter is called on: its context has the variables of the message. */
type FilterImpl = ThisParameterType<Extract<FilterImplOptions, (...given: never[]) => unknown>>;

/** Escapes every output for HTML. The filter `raw` is disarmed: no template can switch escaping off. */
export const htmlEngine = withOurFilters(new Liquid({ ...limits, outputEscape: escapeOutput }));

/** For plain text and subjects: nothing to escape. */
export const textEngine = withOurFilters(new Liquid(limits));

function escapeOutput(this: unknown, value: unknown): string {
  return escapeHtml(printed(value));
}

/** As Liquid prints a value. */
function printed(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(printed).join('');
  return typeof value === 'object' ? Object.prototype.toString.call(value) : String(value as string | number | boolean);
}

function withOurFilters(engine: Liquid): Liquid {
  for (const tag of ['include', 'render', 'layout']) Reflect.deleteProperty(engine.tags, tag);
  const { date } = engine.filters;
  engine.registerFilter('raw', (value: unknown) => value);
  engine.registerTag('claim', ClaimTag);
  engine.registerFilter('number', inDigits);
  engine.registerFilter('plural', pluralForm);
  engine.registerFilter('date', function (value: unknown, style: unknown, ...more: unknown[]) {
    if (isDateStyle(style)) return formatDate(value, style, readerOf(this));
    return typeof date === 'function' ? Reflect.apply(date, this, [value, style, ...more]) : value;
  });
  const renderer = engine.renderer;
  const render = renderer.renderTemplates.bind(renderer);
  // Liquid bounds what filters make; what templates print, and captures collect, is bounded here.
  renderer.renderTemplates = (templates, context, emitter = new BoundedEmitter(context)) => render(templates, context, emitter);
  return engine;
}

class BoundedEmitter implements Emitter {
  buffer = '';
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  write(value: unknown): void {
    const text = printed(value);
    this.#context.memoryLimit.use(text.length);
    this.buffer += text;
  }
}

/** A number as the reader writes it: `1,200`, `1.200`, `۱٬۲۰۰`. */
function inDigits(this: FilterImpl, value: unknown): unknown {
  return typeof value === 'number' ? numberFormat(wordIn(this, 'locale') ?? 'en').format(value) : value;
}

/**
 * The word for a count, by the rules of the text's language: `{{ cart.otherCount | plural: one: "товар", few: "товара", many: "товаров" }}`. A form that is
 * left out is `other`, or the last one given.
 */
function pluralForm(this: FilterImpl, value: unknown, ...forms: unknown[]): unknown {
  const given = new Map(forms.filter((form): form is [string, unknown] => Array.isArray(form) && typeof form[0] === 'string'));
  const form = new Intl.PluralRules(wordIn(this, 'language') ?? 'en').select(Number(value));
  return given.get(form) ?? given.get('other') ?? [...given.values()].at(-1);
}

function readerOf(filter: FilterImpl): Parameters<typeof formatDate>[2] {
  const direction = isRightToLeft(wordIn(filter, 'language') ?? 'en') ? 'rtl' : 'ltr';
  return { locale: wordIn(filter, 'locale') ?? 'en', timeZone: wordIn(filter, 'timeZone') ?? 'UTC', direction };
}

function wordIn({ context }: FilterImpl, name: string): string | null {
  const word: unknown = Object.hasOwn(context.environments, name) ? context.environments[name] : null;
  return typeof word === 'string' ? word : null;
}

/** Render within the limits. @throws liquidjs's errors, also when a limit is exceeded */
export function renderBounded(engine: Liquid, template: Template[], view: object): string {
  const context = new Context(view, engine.options, { sync: true });
  const withinTime = context.renderLimit.check.bind(context.renderLimit);
  let pieces = 0;
  context.renderLimit.check = (nowMs) => {
    pieces += 1;
    if (pieces > mostPieces) throw new Error('template steps limit exceeded');
    withinTime(nowMs);
  };
  return String(toValueSync(engine.renderer.renderTemplates(template, context)));
}

// A preset has up to ten languages.
const parsedTemplates = 1_000;

/**
 * A renderer that parses each template once and keeps the latest few hundred parsed.
 * @returns a function that throws liquidjs's errors: unknown variable, unknown filter, limit exceeded
 */
export function cachingRenderer(engine: Liquid): (template: string, view: object) => string {
  const parsed = new Map<string, Template[]>();
  return (template, view) => {
    const known = parsed.get(template);
    const nodes = known ?? engine.parse(template);
    if (known === undefined) {
      const oldest = parsed.keys().next();
      if (parsed.size >= parsedTemplates && oldest.done !== true) parsed.delete(oldest.value);
      parsed.set(template, nodes);
    }
    return renderBounded(engine, nodes, view);
  };
}
