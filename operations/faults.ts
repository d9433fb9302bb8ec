// What processes and activities may know about an error of the database, without knowing the database.
export { faultOf, isLockFailure, postgresCode } from '../db/client.ts';
