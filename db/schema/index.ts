export { armFigures, armSums } from './arms.ts';
export { assignments, variantAssignments } from './assignments.ts';
export { attributionCredits, attributionMarks, attributionSums } from './attribution.ts';
export { behaviours } from './behaviours.ts';
export { backtests } from './backtests.ts';
export { bots } from './bots.ts';
export { bulkActions, type EnrollmentFilter } from './bulk-actions.ts';
export { bulkJobs, bulkMembers } from './bulk.ts';
export { calls } from './calls.ts';
export { campaignLeads, campaigns, leadRoutings } from './campaigns.ts';
export { keywordAnswers } from './keyword-answers.ts';
export { adminCodes, chats, chatUpdates, type ReplySent } from './chats.ts';
export { compositions, modelSpending } from './compositions.ts';
export { leadConversions, trackerIds } from './conversions.ts';
export { courseFigures, courseMarks, courseSums } from './courses.ts';
export { outbox, inbox, quarantine } from './delivery.ts';
export { experimentAssignments, experiments, experimentModes, experimentStatuses, takeovers, type Verdict } from './experiments.ts';
export { facts } from './facts.ts';
export { account, identitySchema, invitations, members, rateLimit, session, signInFailures, user, verification } from './identity.ts';
export { lateness } from './lateness.ts';
export { importErrors, type ImportFormat, importParts, imports } from './imports.ts';
export { type InterventionFigure, interventionFigures, interventionMarks, interventionSums } from './interventions.ts';
export { installationKeys } from './keys.ts';
export { conversionRules, suggestionDismissals } from './learning.ts';
export { lookups } from './lookups.ts';
export { connectionTokens } from './tokens.ts';
export { decisions, messages } from './messages.ts';
export { offerCodes, offers } from './offers.ts';
export { consents, contactIdentities, contactMerges, contacts, privacyRequests, suppressions } from './people.ts';
export { parkedSkips } from './parked.ts';
export { popups } from './popups.ts';
export { erasures, personExports } from './privacy.ts';
export { type ActionResult, enrollmentActions, enrollmentEvents, enrollmentRequests, enrollments, sequences, sequenceVersions } from './sequences.ts';
export { editLeases, keyedRequests, requestRates } from './requests.ts';
export { scripts } from './scripts.ts';
export { shadowDecisions, shadowRuns, shadows } from './shadows.ts';
export {
  assessmentCauses,
  modelRoles,
  riskAssessments,
  riskModels,
  riskRuns,
  riskStandings,
  riskTrainings,
  trainingOutcomes,
} from './risk.ts';
export { conversions, refunds, subjectKeys, subjects } from './subjects.ts';
export { openCounts, sumDeltas, sums } from './sums.ts';
export { tasks } from './tasks.ts';
export { apiKeys, auditLog, connections, sendRates, settingsVersions, tenants } from './tenants.ts';
export { sequenceDrafts, versionMoves } from './versions.ts';
export { alarms, alarmStandings } from './alarms.ts';
export { outageDrills } from './drills.ts';
export { sweeps } from './sweeps.ts';
export { liveReaders, webhookAttempts, webhookDeliveries, webhookEndpoints, webhookEvents } from './webhooks.ts';
export { notifications, notificationTargets, notificationTemplates, notificationUses } from './notifications.ts';
