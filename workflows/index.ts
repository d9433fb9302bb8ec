// The bundle's entry: everything that is exported here runs inside Temporal's sandbox and is replayed.
export { assessRisk } from './assess-risk.ts';
export { applyRetention } from './apply-retention.ts';
export { erasePerson } from './erase-person.ts';
export { exportPerson } from './export-person.ts';
export { reconcile } from './reconcile.ts';
export { recovery } from './recovery.ts';
export { sweepGhosts } from './sweep-ghosts.ts';
export { sweepSilent } from './sweep-silent.ts';
export { trainRisk } from './train-risk.ts';
