/** What a store keeps for a number of days only, and the setting (`retention`) that says for how many. */
export const retentionKinds = {
  deliveries: 'inboundDays',
  unreadable: 'inboundDays',
  messages: 'messageDays',
  transcripts: 'messageDays',
  model_texts: 'messageDays',
  chat_updates: 'messageDays',
  decisions: 'enrollmentDays',
  stories: 'enrollmentDays',
  stop_notes: 'enrollmentDays',
  band_changes: 'enrollmentDays',
  assessments: 'assessmentDays',
  message_events: 'eventDays',
  audit_log: 'auditDays',
  anonymous_carts: 'anonymousCartDays',
} as const;

export type RetentionKind = keyof typeof retentionKinds;
export type RetentionField = (typeof retentionKinds)[RetentionKind];

/** Days; null: for good. */
export type RetentionSettings = Record<RetentionField, number | null>;

/**
 * As long as something may still be asked for: backtests and figures look back half a year, and a sale is disputed within two. Whoever has to keep less
 * sets less.
 */
export const usualRetention: RetentionSettings = {
  inboundDays: 366,
  messageDays: 366,
  enrollmentDays: 730,
  assessmentDays: 180,
  eventDays: 730,
  auditDays: 1_096,
  anonymousCartDays: 180,
};

/** Figures of the last 90 days are read from the rows themselves, and live events name assessments for 29 days; a store cannot keep less of those. */
export const shortestDays: RetentionSettings & Record<RetentionField, number> = {
  inboundDays: 7,
  messageDays: 35,
  enrollmentDays: 120,
  assessmentDays: 35,
  eventDays: 120,
  auditDays: 30,
  anonymousCartDays: 14,
};

/** The kinds that have an end, with their days. */
export function kindsToApply(settings: RetentionSettings): { kind: RetentionKind; days: number }[] {
  return (Object.keys(retentionKinds) as RetentionKind[]).flatMap((kind) => {
    const days = settings[retentionKinds[kind]];
    return days === null ? [] : [{ kind, days }];
  });
}
