/**
 * What a tracker says became of a click. `sale`: bought. `rebill`: paid once more. `reject`: the sale, or the lead, was refused. `lead` and
 * `registration`: it got so far; nobody's status changes. `other`: a status that is none of these; it is kept and changes nothing.
 */
export const conversionOutcomes = ['sale', 'rebill', 'reject', 'lead', 'registration', 'other'] as const;
export type ConversionOutcome = (typeof conversionOutcomes)[number];

const builtIn: Readonly<Record<string, ConversionOutcome>> = {
  sale: 'sale',
  rebill: 'rebill',
  reject: 'reject',
  rejected: 'reject',
  trash: 'reject',
  lead: 'lead',
  registration: 'registration',
};

/** A status as it is compared: without regard to case. */
export const plainStatus = (stated: string): string => stated.trim().toLowerCase();

/**
 * What a stated status means.
 * @param own - what the store says that statuses of its networks mean, by `plainStatus`; goes before the built-in ones
 */
export function outcomeOf(stated: string, own: ReadonlyMap<string, ConversionOutcome> = new Map()): ConversionOutcome {
  const status = plainStatus(stated);
  return own.get(status) ?? (Object.hasOwn(builtIn, status) ? (builtIn[status] ?? 'other') : 'other');
}

/** Whether money was paid. */
export const isPayment = (outcome: ConversionOutcome): boolean => outcome === 'sale' || outcome === 'rebill';
