/** For `api/`, which imports nothing of `content/`. */
export { formatMoney } from '../../content/money.ts';
