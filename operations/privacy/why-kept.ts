import { whyKept as reasons } from '../../domain/privacy/receipt.ts';

/** Why rows of a table stay after an erasure, for people. */
export const whyKept = (table: string): string => (Object.hasOwn(reasons, table) ? reasons[table as keyof typeof reasons] : 'It names nobody.');
