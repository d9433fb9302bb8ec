import { cart } from './cart.ts';
import { lead } from './lead.ts';

/** What histories are about. A new kind is one file and one line here. */
export const subjects = { cart, lead };
export type SubjectName = keyof typeof subjects;
