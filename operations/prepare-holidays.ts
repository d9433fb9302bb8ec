/** Load the calendar of public holidays before a dispatch needs it. */
export { prepareHolidays } from '../domain/time/holidays.ts';
