/** How far a store has come with a person. `DO_NOT_CONTACT` is final (docs/rules.md#rule-13). */
export const lifecycles = ['NEW', 'IN_PROGRESS', 'CONTACTED', 'CONVERTED', 'REJECTED', 'DO_NOT_CONTACT'] as const;
export type Lifecycle = (typeof lifecycles)[number];
