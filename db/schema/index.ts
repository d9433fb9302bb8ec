export { assignments } from './assignments.ts';
export { outbox, inbox, quarantine } from './delivery.ts';
export { lateness } from './lateness.ts';
export { decisions, messages } from './messages.ts';
export { consents, contactIdentities, contactMerges, contacts, privacyRequests, suppressions } from './people.ts';
export { enrollmentEvents, enrollmentRequests, enrollments, sequences, sequenceVersions } from './sequences.ts';
export { conversions, refunds, subjectKeys, subjects } from './subjects.ts';
export { sumDeltas, sums } from './sums.ts';
export { apiKeys, auditLog, connections, settingsVersions, tenants } from './tenants.ts';
