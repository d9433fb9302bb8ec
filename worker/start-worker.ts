import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from '../activities/index.ts';
import type { BuiltDeps } from '../operations/create-deps.ts';
import type { Log } from '../operations/deps.ts';
import { alarmsPass } from '../operations/alarms/check-alarms.ts';
import { bulkActionPass } from '../operations/bulk/act-on-all.ts';
import { takeInPass } from '../operations/bulk/take-in.ts';
import { experimentsPass } from '../operations/experiments/experiments.ts';
import { foldInterventions } from '../operations/interventions/kept.ts';
import { hoursPass } from '../operations/learning/hours.ts';
import { routingPass } from '../operations/campaigns/route-leads.ts';
import { createChatWorker } from '../operations/chat/chat-worker.ts';
import { createBotWorker } from '../operations/bots/bot-worker.ts';
import type { BotTimes } from '../operations/bots/keep-bot.ts';
import { createImportWorker } from '../operations/imports/take-in-rows.ts';
import { createLookupWorker } from '../operations/lookups.ts';
import { createInboxWorker } from '../operations/inbox-worker.ts';
import { closeCodes } from '../operations/offers/close-codes.ts';
import { type Background, runInBackground } from '../operations/background.ts';
import { privacyPass } from '../operations/privacy/start-pass.ts';
import { publishPresets } from '../operations/publish-presets.ts';
import type { CompiledPreset } from '../operations/publish-sequence.ts';
import { assessDue } from '../operations/risk/assess.ts';
import { startRuns } from '../operations/risk/runs.ts';
import { shadowPass } from '../operations/shadow/pass.ts';
import { prepareHolidays } from '../operations/prepare-holidays.ts';
import { storeLateness } from '../operations/lateness.ts';
import { createRelay } from '../operations/relay-outbox.ts';
import { sweepLeases } from '../operations/sweep-leases.ts';
import { tellOptOuts } from '../operations/tell-opt-outs.ts';
import { dataConverterOf } from '../temporal/data-converter.ts';
import { callLimitMs, connectionOptions, lazyClient, type TemporalOptions } from '../temporal/connect.ts';
import { keywordAnswersPass } from '../operations/keyword-answers.ts';
import { createNotificationWorker } from '../operations/notifications/notification-worker.ts';
import { overduePass } from '../operations/work/overdue.ts';
import { createWebhookWorker } from '../operations/webhooks/webhook-worker.ts';
import { createWorkflowEngine } from '../temporal/engine.ts';
import {
  ensureGhostSweepSchedule,
  ensureReconcileSchedule,
  ensureRetentionSchedule,
  ensureSilentSweepSchedule,
  ensureTrainingSchedule,
  prepareSearchAttributes,
  startRiskRun,
} from '../temporal/prepare-namespace.ts';
import { compositionQueueOf, riskQueueOf, type SilentSweep, taskQueue } from '../workflows/contract.ts';

export interface RunningWorker {
  /** Resolves when the last activity has ended and every background job has stopped. */
  done: Promise<void>;
  stop(): Promise<void>;
}

export interface WorkerOptions {
  reconcileEveryMs?: number;
  sweepEveryMs?: number;
  /** The sweep for silent leads; default every 4 h, at most 100. */
  silentSweep?: SilentSweep;
  /** The sweep for leads that left a chat; default every 30 min, at most 1000. */
  ghostSweep?: SilentSweep;
  relayEveryMs?: number;
  /** How often the search attributes and the reconciler's Schedule are checked; default 15 s. */
  namespaceEveryMs?: number;
  /** How chat bots are kept; tests shorten it. */
  botTimes?: BotTimes;
  /** Leave changes of the workflow code (`patched()`) inactive, and presets as they are, while processes of a build that does not know them still run. Default false. */
  holdPatches?: boolean;
  /** Presets and the file of a workflow bundle that somebody has made already; by default both are made here, which takes some seconds. */
  prepared?: { presets: CompiledPreset[]; workflowBundle: string };
}

/** Every four hours, a hundred leads. */
const usualSilentSweep: SilentSweep = { most: 100, everySeconds: 14_400 };

/** Every half an hour, a thousand leads. */
const usualGhostSweep: SilentSweep = { most: 1_000, everySeconds: 1_800 };

/** Changes of figures that one transaction adds to their sums: a few milliseconds each thousand. */
const foldedAtOnce = 5_000;
/** Orders whose credits one transaction computes anew: some tenths of a millisecond each. */
const creditedAtOnce = 1_000;

/** Changes in sequences whose figures one transaction computes anew: some tenths of a millisecond for each subject. */
const coursesAtOnce = 1_000;

/** How long expired facts are kept, to explain why a message did or did not make a claim. */
const factsKeptDays = 30;
const factsPrunedAtOnce = 5_000;
const webhooksKeptDays = 30;
const webhooksPrunedAtOnce = 1_000;
/** Far longer than their links work. */
const notificationsKeptDays = 90;
const notificationsPrunedAtOnce = 1_000;

/** The bundle made by the build, else the sources, which the SDK bundles at start (about a second). */
function workflowCode(encrypted: boolean): { workflowBundle: { codePath: string } } | { workflowsPath: string } {
  const here = dirname(fileURLToPath(import.meta.url));
  const bundle = join(here, encrypted ? '../workflow-bundle-encrypted.js' : '../workflow-bundle.js');
  if (existsSync(bundle)) return { workflowBundle: { codePath: bundle } };
  const source = join(here, '../workflows/index.ts');
  return { workflowsPath: existsSync(source) ? source : join(here, '../workflows/index.js') };
}

/**
 * Start one worker process's work: the Temporal worker, the relay, the sweep of dead leases, the inbox's stragglers, the sums of figures,
 * and the watch over the reconciler's Schedule. Any number of processes may run it.
 */
export async function startWorker(deps: BuiltDeps, temporal: TemporalOptions, options: WorkerOptions = {}): Promise<RunningWorker> {
  installRuntime(deps);
  const { prepared } = options;
  // Takes 400 ms, which no decision under a person's lock should wait for.
  if (prepared === undefined) prepareHolidays();
  await publishPresets(deps, prepared?.presets ?? (await deps.presets()), { isHeld: options.holdPatches === true });
  deps.log.info({}, 'metrics storage ready');
  const queue = temporal.taskQueue ?? taskQueue;
  const client = lazyClient(temporal);
  const engine = createWorkflowEngine(client, queue);
  const withEngine = { ...deps, engine };
  const silentSweep = options.silentSweep ?? usualSilentSweep;
  const ghostSweep = options.ghostSweep ?? usualGhostSweep;
  const connection = await connectPatiently(temporal, deps.log);
  const converter = dataConverterOf(temporal.payloadKeys);
  await prepareSearchAttributes(client, deps.log);
  const worker = await Worker.create({
    connection,
    namespace: temporal.namespace,
    ...converter,
    taskQueue: queue,
    ...(prepared === undefined
      ? workflowCode((temporal.payloadKeys?.current ?? null) !== null)
      : { workflowBundle: { codePath: prepared.workflowBundle } }),
    activities: createActivities(withEngine),
    // Workflows that sleep for days are replayed anyway; a larger cache only takes memory (`npm run bench -- --only memory`).
    maxCachedWorkflows: 100,
    // They only compute: beyond what the processor does at once they would wait here, where nobody gives the stores their turns, and not in Temporal.
    maxConcurrentWorkflowTaskExecutions: 8,
    maxConcurrentActivityTaskExecutions: 40,
    // Longer than an SMTP call may take: a call in flight is settled, not abandoned (docs/fence.md#times-in-order).
    shutdownGraceTime: '12s',
    // An older build's worker cannot replay a history with a marker that it does not know.
    ...(options.holdPatches === true ? { patchActivationCallback: () => false } : {}),
  });
  // A queue of its own: models are slow, and their calls must take no place from dispatches.
  const composer = await Worker.create({
    connection,
    namespace: temporal.namespace,
    ...converter,
    taskQueue: compositionQueueOf(queue),
    activities: createActivities(withEngine),
    maxConcurrentActivityTaskExecutions: 20,
    shutdownGraceTime: '12s',
  });

  // Another: what assesses thousands of accounts, or learns from them, takes no place from dispatches either.
  const assessor = await Worker.create({
    connection,
    namespace: temporal.namespace,
    ...converter,
    taskQueue: riskQueueOf(queue),
    activities: createActivities(withEngine),
    maxConcurrentActivityTaskExecutions: 2,
    shutdownGraceTime: '12s',
  });

  const inboxWorker = createInboxWorker(deps);
  const lookupWorker = createLookupWorker(deps);
  const importWorker = createImportWorker(deps);
  const botWorker = createBotWorker(deps, options.botTimes);
  const relay = runInBackground('relay', options.relayEveryMs ?? 1_000, createRelay(withEngine, inboxWorker.isFlooded), deps.log);
  const chatWorker = createChatWorker(deps);
  const chats = runInBackground('chats', 1_000, chatWorker.pass, deps.log);
  const webhookWorker = createWebhookWorker(deps);
  const webhooks = runInBackground('webhooks', 1_000, webhookWorker.pass, deps.log);
  const notificationWorker = createNotificationWorker(deps);
  const notifications = runInBackground('notifications', 1_000, notificationWorker.pass, deps.log);
  const answers = runInBackground('keyword answers', 1_000, () => keywordAnswersPass(deps), deps.log);
  deps.onKick(() => {
    relay.kick();
    answers.kick();
    chats.kick();
    webhooks.kick();
    notifications.kick();
  });
  const jobs: Pick<Background, 'stop'>[] = [
    relay,
    runInBackground('sweep', options.sweepEveryMs ?? 10_000, async () => (await sweepLeases(deps)) > 0, deps.log),
    runInBackground('codes', options.sweepEveryMs ?? 10_000, async () => (await closeCodes(deps)) > 0, deps.log),
    runInBackground('inbox', 1_000, inboxWorker.pass, deps.log),
    lookupWorker,
    runInBackground('opt-outs', options.sweepEveryMs ?? 10_000, () => tellOptOuts(deps), deps.log),
    runInBackground('lookups', 500, lookupWorker.pass, deps.log),
    runInBackground('privacy', 1_000, () => privacyPass(withEngine), deps.log),
    runInBackground('bulk', 1_000, () => takeInPass(deps), deps.log),
    runInBackground('bulk actions', 1_000, () => bulkActionPass(deps), deps.log),
    importWorker,
    runInBackground('imports', 1_000, importWorker.pass, deps.log),
    botWorker,
    answers,
    chats,
    chatWorker,
    webhooks,
    webhookWorker,
    notifications,
    notificationWorker,
    runInBackground('overdue tasks', 5_000, () => overduePass(deps), deps.log),
    runInBackground(
      'old webhooks',
      3_600_000,
      async () => (await deps.db.pruneWebhooks(webhooksKeptDays, webhooksPrunedAtOnce)) === webhooksPrunedAtOnce,
      deps.log,
    ),
    runInBackground(
      'old notifications',
      3_600_000,
      async () => (await deps.db.pruneNotifications(notificationsKeptDays, notificationsPrunedAtOnce)) === notificationsPrunedAtOnce,
      deps.log,
    ),
    runInBackground('bots', 1_000, botWorker.pass, deps.log),
    runInBackground('routing', 1_000, () => routingPass(deps), deps.log),
    runInBackground('risk', 1_000, () => assessDue(deps), deps.log),
    runInBackground(
      'risk runs',
      1_000,
      () => startRuns(deps, (run) => client.withDeadline(Date.now() + callLimitMs, () => startRiskRun(client, run, queue))),
      deps.log,
    ),
    runInBackground('shadows', 2_000, () => shadowPass(deps), deps.log),
    runInBackground('experiments', 300_000, () => experimentsPass(deps), deps.log),
    runInBackground('hours', 600_000, () => hoursPass(deps).then(() => false), deps.log),
    // Figures are exact without it, only slower to read: what waits is read beside the sums.
    runInBackground('rollups', 5_000, async () => (await deps.db.foldRollups(foldedAtOnce)) === foldedAtOnce, deps.log),
    runInBackground('attribution', 5_000, async () => (await deps.db.foldAttribution(creditedAtOnce)) === creditedAtOnce, deps.log),
    runInBackground('courses', 5_000, async () => (await deps.db.foldCourses(coursesAtOnce)) === coursesAtOnce, deps.log),
    runInBackground('interventions', 5_000, () => foldInterventions(deps), deps.log),
    runInBackground('alarms', 60_000, () => alarmsPass(deps).then(() => false), deps.log),
    runInBackground('analyze', 2_000, () => deps.db.analyzeGrown().then(() => false), deps.log),
    runInBackground('lateness', 2_000, () => storeLateness(deps).then(() => false), deps.log),
    runInBackground('partitions', 12 * 3_600_000, () => deps.db.makeMessageEventPartitions().then(() => false), deps.log),
    runInBackground('facts', 3_600_000, async () => (await deps.db.pruneFacts(factsKeptDays, factsPrunedAtOnce)) === factsPrunedAtOnce, deps.log),
    runInBackground('rates', 3_600_000, () => deps.db.pruneSendRates().then(() => false), deps.log),
    runInBackground('requests', 3_600_000, () => deps.db.pruneRequests().then(() => false), deps.log),
    // A Temporal that lost its state lost the Schedule and the search attributes too.
    runInBackground(
      'namespace',
      options.namespaceEveryMs ?? 15_000,
      () =>
        // Without a limit a Temporal that is down would hold up the end of this process.
        client.withDeadline(Date.now() + callLimitMs, async () => {
          await prepareSearchAttributes(client, deps.log);
          await ensureReconcileSchedule(client, options.reconcileEveryMs ?? 60_000, queue);
          await ensureRetentionSchedule(client, queue);
          await ensureSilentSweepSchedule(client, silentSweep, queue);
          await ensureGhostSweepSchedule(client, ghostSweep, queue);
          await ensureTrainingSchedule(client, queue);
          return false;
        }),
      deps.log,
    ),
  ];
  deps.log.info({ seconds: silentSweep.everySeconds, most: silentSweep.most }, 'recovery worker for silent leads started');
  const runToTheEnd = async () => {
    try {
      // One that fails ends the other: half a worker would look like a whole one.
      const all = [worker, composer, assessor];
      await Promise.all(all.map((one) => one.run().finally(() => all.forEach(endOf))));
    } finally {
      await Promise.all(jobs.map((job) => job.stop()));
      await connection.close();
      await client.connection.close();
    }
  };
  const done = runToTheEnd();
  return {
    done,
    async stop() {
      endOf(worker);
      // Beside the worker's end, not after it: with Temporal down, each takes as long as its last call.
      await Promise.all([done, ...jobs.map((job) => job.stop())]);
    },
  };
}

function endOf(worker: Worker): void {
  if (worker.getState() === 'RUNNING') worker.shutdown();
}

/** A worker that starts before its Temporal waits for it: machines come up in any order. */
async function connectPatiently(temporal: TemporalOptions, log: Log): Promise<NativeConnection> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await NativeConnection.connect(connectionOptions(temporal));
    } catch (error) {
      if (attempt === 1) log.warn({ err: error }, `Temporal at ${temporal.address} cannot be reached yet; trying again (TEMPORAL_ADDRESS names it)`);
      await new Promise((done) => setTimeout(done, Math.min(5_000, 500 * attempt)));
    }
  }
}

let installed = false;
/** One runtime per process. Its logs go to our logger, and it installs no signal handlers: the process that starts us handles signals. */
function installRuntime(deps: BuiltDeps): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    shutdownSignals: [],
    // Without `forward` the SDK's core writes lines of its own beside ours. Its client repeats itself while Temporal is down; the relay says so once.
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR,temporalio_sdk_core=WARN,temporalio_client=ERROR' } },
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      // The queues of composition and of assessment have activities alone.
      if (message.startsWith('No workflows registered')) return;
      // Failed activities that Temporal retries are counted where they happen.
      deps.log.warn({ temporal: level, ...(meta?.['error'] === undefined ? {} : { err: meta['error'] }) }, message);
    }),
  });
}
