/** A field of a delivery that was left out, or read with a guess. Never what it contained: that may be personal data. */
export interface FieldNote {
  /** Its path in the body, e.g. `line_items.0.price`. */
  field: string;
  /** A sentence fragment for people, e.g. `is no amount: left out`. */
  reason: string;
}
