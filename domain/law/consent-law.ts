/**
 * Whose agreement the law asks for before somebody is written to, by country. An opt-out is law everywhere and stands elsewhere (rule 13); this says where
 * silence is not enough, and what the law takes for agreement without a word. Where sources differ, what all of them allow. A change of the law is a change
 * here, with its source, and a new `version`; every decision names the entry and the version that it used. Nothing here is legal advice: the statutes are
 * named for whoever checks them, and the conditions that only the shop can meet (a notice when the address was collected, similar goods of its own) are not
 * examined.
 */
export const consentLawVersion = '2026-11-28';

/** Emails, texts, or telephone calls; a call by a machine counts as one. */
export type ConsentClass = 'emails' | 'texts' | 'calls';

/**
 * What stands for agreement. `purchase`: a sale to the person. `inquiry`: they asked about something, or wrote. `negotiation`: they came close to a
 * purchase, as with a cart.
 */
export const softGrounds = ['purchase', 'inquiry', 'negotiation'] as const;
export type SoftGround = (typeof softGrounds)[number];

export interface SoftOptIn {
  by: SoftGround;
  /** For how long; null: the law names no end. */
  months: number | null;
}

export interface ConsentLaw {
  /** ISO 3166-1 alpha-2, or `EU`. */
  id: string;
  for: readonly ConsentClass[];
  /** `nothing`: a person who has not opted out may be contacted. */
  asksFor: 'nothing' | 'consent';
  soft: readonly SoftOptIn[];
  source: string;
}

const electronic = ['emails', 'texts'] as const;
const afterSale: readonly SoftOptIn[] = [{ by: 'purchase', months: null }];
const consent = (id: string, of: readonly ConsentClass[], soft: readonly SoftOptIn[], source: string): ConsentLaw => ({
  id,
  for: of,
  asksFor: 'consent',
  soft,
  source,
});

export const consentLaws: readonly ConsentLaw[] = [
  { id: 'US', for: ['emails'], asksFor: 'nothing', soft: [], source: 'CAN-SPAM, 15 U.S.C. 7701 ff.' },
  consent('US', ['texts', 'calls'], [], 'TCPA, 47 U.S.C. 227; 47 CFR 64.1200(a)(2): prior express written consent'),
  consent(
    'CA',
    electronic,
    [
      { by: 'purchase', months: 24 },
      { by: 'inquiry', months: 6 },
    ],
    'CASL, S.C. 2010, c. 23, s. 10(9) and (10); CRTC guidance on implied consent',
  ),
  consent('CA', ['calls'], [], 'CRTC Unsolicited Telecommunications Rules, Part IV (automatic dialing)'),
  consent(
    'GB',
    electronic,
    [
      { by: 'purchase', months: null },
      { by: 'negotiation', months: null },
    ],
    'Privacy and Electronic Communications Regulations 2003, reg. 22',
  ),
  consent('GB', ['calls'], [], 'Privacy and Electronic Communications Regulations 2003, reg. 19 and 21'),
  consent('EU', electronic, afterSale, 'Directive 2002/58/EC, art. 13(1) and (2)'),
  consent('EU', ['calls'], [], 'Directive 2002/58/EC, art. 13(1) and (3)'),
  consent('DE', electronic, afterSale, 'UWG § 7(2) and (3)'),
  consent('DE', ['calls'], [], 'UWG § 7(2) no. 1'),
  consent('AT', electronic, afterSale, 'TKG 2021 § 174'),
  consent('FR', electronic, afterSale, 'Code des postes et des communications électroniques L34-5'),
  // The exception for customers is for email alone.
  consent('IT', ['emails'], afterSale, 'Codice in materia di protezione dei dati personali, art. 130(1) and (4)'),
  consent('IT', ['texts'], [], 'Codice in materia di protezione dei dati personali, art. 130(1) and (2)'),
  consent('ES', electronic, afterSale, 'Ley 34/2002 (LSSI), art. 21'),
  consent('IE', electronic, [{ by: 'purchase', months: 12 }], 'S.I. No. 336/2011, reg. 13'),
  consent('PL', ['emails', 'texts', 'calls'], [], 'Prawo komunikacji elektronicznej 2024, art. 398'),
  consent('CH', electronic, afterSale, 'UWG (Switzerland) art. 3(1)(o)'),
  consent('AU', electronic, afterSale, 'Spam Act 2003, Schedule 2 (inferred consent)'),
  consent('NZ', electronic, afterSale, 'Unsolicited Electronic Messages Act 2007, s. 4 (inferred consent)'),
  consent('JP', electronic, afterSale, 'Act on Regulation of Transmission of Specified Electronic Mail, art. 3'),
];

/** Member states of the European Union and of the European Economic Area, where the directive holds. */
const european = new Set('AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK'.split(' '));

const classes = ['emails', 'texts', 'calls'] as const;
const byClass = new Map<ConsentClass, ReadonlyMap<string, ConsentLaw>>(
  classes.map((of) => [of, new Map(consentLaws.filter((law) => law.for.includes(of)).map((law) => [law.id, law]))]),
);

/** What the law of a country asks for. null: nothing is known about it here. */
export function consentLawOf(of: ConsentClass, country: string): ConsentLaw | null {
  const laws = byClass.get(of);
  return laws?.get(country) ?? (european.has(country) ? laws?.get('EU') : undefined) ?? null;
}
