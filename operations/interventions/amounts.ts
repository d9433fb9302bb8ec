// For code that may not import `domain/`.
export { type Amount, decimalOf } from '../../domain/interventions/amount.ts';
