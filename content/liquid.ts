import { type FilterImplOptions, Liquid, type Template } from 'liquidjs';
import { numberFormat } from './number-format.ts';

// Liquid is what merchants edit, so it gets no files, no prototypes and bounded work. Limits are far above any message.
const limits = {
  strictVariables: true,
  strictFilters: true,
  ownPropertyOnly: true,
  templates: {},
  parseLimit: 300_000,
  memoryLimit: 5_000_000,
  /** Milliseconds; wide, since a busy process may pause a render. */
  renderLimit: 2_000,
} as const;

/** Escapes every output for HTML. The filter `raw` is disarmed: no template can switch escaping off. */
export const htmlEngine = withoutRaw(new Liquid({ ...limits, outputEscape: 'escape' }));

/** For plain text and subjects: nothing to escape. */
export const textEngine = withoutRaw(new Liquid(limits));

function withoutRaw(engine: Liquid): Liquid {
  engine.registerFilter('raw', (value: unknown) => value);
  engine.registerFilter('number', inWords);
  return engine;
}

/** What a filter is called on: its context has the variables of the message. */
type FilterImpl = ThisParameterType<Extract<FilterImplOptions, (...given: never[]) => unknown>>;

/** A number as the reader writes it: `1,200`, `1.200`, `۱٬۲۰۰`. */
function inWords(this: FilterImpl, value: unknown): unknown {
  return typeof value === 'number' ? numberFormat(localeIn(this)).format(value) : value;
}

function localeIn({ context }: FilterImpl): string {
  const locale: unknown = context.getSync(['locale']);
  return typeof locale === 'string' ? locale : 'en';
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
    return String(engine.renderSync(nodes, view));
  };
}
