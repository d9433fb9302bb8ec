/** A piece of visible text with the colours that it is drawn in, `#rrggbb`. */
export interface DrawnText {
  text: string;
  color: string;
  background: string;
}

interface Element {
  tag: string;
  classes: string[];
  parent: Element | null;
  color: string;
  background: string;
  hidden: boolean;
}

interface Rule {
  /** From the outermost to the element itself; `child`: the one before it is the parent. */
  steps: { tag: string | null; className: string | null; child: boolean }[];
  color: string | null;
  background: string | null;
}

const voidTags = new Set(['area', 'base', 'br', 'col', 'hr', 'img', 'input', 'link', 'meta']);

/**
 * Every visible text of an email's HTML with its colour and background: inline styles and, in dark mode, the rules of
 * `@media (prefers-color-scheme: dark)`, all of which are `!important`. Knows as much of CSS as the layout uses; axe in a browser
 * (`npm run audit:emails`) is the full check, this is the quick one.
 */
export function drawnTexts(html: string, mode: 'light' | 'dark'): DrawnText[] {
  const rules = mode === 'dark' ? darkRules(html) : [];
  const drawn: DrawnText[] = [];
  let at: Element = { tag: '', classes: [], parent: null, color: '#000000', background: '#ffffff', hidden: false };
  const visible = html
    .slice(html.indexOf('<body'))
    // What only Outlook reads is no element here; what all others read stays.
    .replace(/<!--\[if [^\]]*\]>(?!<!-->)[\s\S]*?<!\[endif\]-->/g, '')
    .replace(/<!--[\s\S]*?-->/g, '');
  for (const [, closing, tag = '', attributes = '', text = ''] of visible.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:\s[^>]*)?)>|([^<]+)/gi)) {
    if (tag === '') {
      const words = text.replace(/&\w+;|&#\d+;/g, ' ').trim();
      if (words !== '' && !at.hidden) drawn.push({ text: words, color: at.color, background: at.background });
    } else if (closing === '/') {
      at = at.parent ?? at;
    } else if (!voidTags.has(tag)) {
      at = childOf(at, tag, attributes, rules);
    }
  }
  return drawn;
}

function childOf(parent: Element, tag: string, attributes: string, rules: Rule[]): Element {
  const style = /\sstyle="([^"]*)"/.exec(attributes)?.[1] ?? '';
  const element: Element = {
    tag,
    classes: (/\sclass="([^"]*)"/.exec(attributes)?.[1] ?? '').split(/\s+/),
    parent,
    color: colorIn(style, 'color') ?? parent.color,
    background: colorIn(style, 'background(?:-color)?') ?? parent.background,
    hidden: parent.hidden || /display:\s*none/.test(style),
  };
  for (const rule of rules) {
    if (!fits(rule.steps, element)) continue;
    element.color = rule.color ?? element.color;
    element.background = rule.background ?? element.background;
  }
  return element;
}

function colorIn(style: string, property: string): string | null {
  return new RegExp(`(?:^|;|\\s)${property}:\\s*(#[0-9a-f]{6})\\b`, 'i').exec(style)?.[1]?.toLowerCase() ?? null;
}

/** Sorted as the cascade applies them: weaker selectors first, of equal ones the earlier. */
function darkRules(html: string): Rule[] {
  const block = /@media \(prefers-color-scheme: dark\) \{((?:[^{}]*\{[^{}]*\})*)/.exec(html)?.[1] ?? '';
  return [...block.matchAll(/([^{}]+)\{([^{}]*)\}/g)]
    .flatMap(([, selectors = '', body = '']) =>
      selectors.split(',').map((selector): Rule & { weight: number } => {
        const steps = stepsOf(selector);
        return {
          steps,
          color: colorIn(body, 'color'),
          background: colorIn(body, 'background(?:-color)?'),
          weight: steps.reduce((sum, { tag, className }) => sum + (className === null ? 0 : 10) + (tag === null ? 0 : 1), 0),
        };
      }),
    )
    .toSorted((a, b) => a.weight - b.weight);
}

function stepsOf(selector: string): Rule['steps'] {
  let child = false;
  return selector
    .trim()
    .split(/\s+/)
    .flatMap((part) => {
      if (part === '>') {
        child = true;
        return [];
      }
      const step = { tag: /^[a-z0-9]+/.exec(part)?.[0] ?? null, className: /\.([\w-]+)/.exec(part)?.[1] ?? null, child };
      child = false;
      return [step];
    });
}

function fits(steps: Rule['steps'], element: Element): boolean {
  const step = steps.at(-1);
  if (step === undefined) return true;
  if ((step.tag !== null && step.tag !== element.tag) || (step.className !== null && !element.classes.includes(step.className))) return false;
  const rest = steps.slice(0, -1);
  if (rest.length === 0) return true;
  for (let above = element.parent; above !== null; above = step.child ? null : above.parent) if (fits(rest, above)) return true;
  return false;
}

/** Between 1 and 21. Source: WCAG 2.2, contrast ratio; written apart from the product's own. */
export function contrast(one: string, other: string): number {
  const luminance = (color: string) => {
    const channel = (from: number) => {
      const value = Number.parseInt(color.slice(from, from + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  };
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
