import { type Context, type Emitter, type Liquid, type Parser, Tag, type TagToken, type Template, type TopLevelToken } from 'liquidjs';
import { type ClaimName, claimNames, isClaim } from '../domain/claims/index.ts';
import { closestName } from './closest-name.ts';

/** The variable with which each claim is stated. It is null where the claim does not hold. */
const claimVariables: Record<ClaimName, string> = {
  stock: 'lowStock',
  price_drop: 'priceDrop',
  reviews: 'reviews',
  market: 'market',
  offer_end: 'offerEnd',
};

/** `{% claim stock %} … {% else %} … {% endclaim %}`: what stands in it is printed only where the claim holds. */
export class ClaimTag extends Tag {
  readonly #claim: ClaimName;
  readonly #templates: Template[] = [];
  #otherwise: Template[] | null = null;

  constructor(token: TagToken, remaining: TopLevelToken[], liquid: Liquid, parser: Parser) {
    super(token, remaining, liquid);
    const name = token.args.trim();
    if (!isClaim(name)) throw new Error(unknownClaim(name));
    this.#claim = name;
    let into = this.#templates;
    parser
      .parseStream(remaining)
      .on('tag:else', () => {
        if (this.#otherwise !== null) throw new Error('duplicated else');
        into = this.#otherwise = [];
      })
      .on('tag:endclaim', function () {
        this.stop();
      })
      .on('template', (template: Template) => into.push(template))
      .on('end', () => {
        throw new Error(`tag ${token.getText()} not closed`);
      })
      .start();
  }

  *render(context: Context, emitter: Emitter): Generator<unknown, void, unknown> {
    const view = context.environments as Record<string, unknown>;
    const holds = (view[claimVariables[this.#claim]] ?? null) !== null;
    yield this.liquid.renderer.renderTemplates(holds ? this.#templates : (this.#otherwise ?? []), context, emitter);
  }

  /** For the analysis of the variables that a text uses. */
  *children(): Generator<unknown, Template[], Template[]> {
    return yield [...this.#templates, ...(this.#otherwise ?? [])];
  }
}

function unknownClaim(name: string): string {
  const meant = closestName(name, claimNames);
  return `unknown claim "${name}": ${meant === null ? `write one of ${claimNames.join(', ')}` : `did you mean "${meant}"?`}`;
}

const tags = /\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g;

/** The claims that compiled texts make, by tag or by the variable of one. */
export function claimsNamedIn(compiled: readonly unknown[]): readonly ClaimName[] {
  const text = compiled
    .flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : [one]))
    .filter((part) => typeof part === 'string')
    .flatMap((part) => part.match(tags) ?? [])
    .join('\n');
  return claimNames.filter((name) => new RegExp(`\\bclaim\\s+${name}\\b|\\b${claimVariables[name]}\\b`).test(text));
}
