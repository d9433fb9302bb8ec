import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const fast = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const slow = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600];
const s = (ms: number) => ms / 1_000;

// More values than any label has, and few enough that a scrape stays small whatever is reported.
const mostValuesOfALabel = 60;

/** The values of one label: what comes after the first few dozen is counted as `other`, because Prometheus's client keeps each one for ever. */
function boundedLabel(): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.size < mostValuesOfALabel) known.add(value);
    return known.has(value) ? value : 'other';
  };
}

/** The figures of one process, for Prometheus. Labels are few and bounded: no ids, no personal data, nothing that an unverified caller says. */
export function createPrometheus() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const webhooks = new Counter({
    name: 'rekindle_webhooks_total',
    help: 'Webhook deliveries by integration and result',
    labelNames: ['integration', 'result'],
    registers,
  });
  const webhookSeconds = new Histogram({
    name: 'rekindle_webhook_seconds',
    help: 'Delivery received to answer ready, waits for running calls included',
    labelNames: ['integration'],
    buckets: fast,
    registers,
  });
  const unreadable = new Counter({
    name: 'rekindle_unreadable_deliveries_total',
    help: 'Deliveries that were put into the quarantine; may_be_stop: they may be a purchase, a reply or an opt-out',
    labelNames: ['integration', 'topic', 'may_be_stop'],
    registers,
  });
  const verdicts = new Counter({
    name: 'rekindle_verdicts_total',
    help: 'Dispatch decisions by verdict and reason',
    labelNames: ['verdict', 'reason'],
    registers,
  });
  const sends = new Counter({
    name: 'rekindle_sends_total',
    help: 'Provider calls by outcome; unknown ones may have been accepted',
    labelNames: ['outcome'],
    registers,
  });
  const sendSeconds = new Histogram({ name: 'rekindle_send_seconds', help: 'Claim written to outcome known', buckets: fast, registers });
  const lateness = new Histogram({ name: 'rekindle_due_to_call_seconds', help: 'A step’s due time to its provider call', buckets: slow, registers });
  const claimToCall = new Histogram({
    name: 'rekindle_claim_to_call_seconds',
    help: 'Claim begun to its provider call; what a worker that dies in between leaves unknown',
    buckets: fast,
    registers,
  });
  const dispatchedLate = new Histogram({
    name: 'rekindle_step_lateness_seconds',
    help: 'How late steps were dispatched, whatever was decided: after their due time, or the time to which they were put off',
    buckets: slow,
    registers,
  });
  const leaseWaits = new Counter({
    name: 'rekindle_lease_waits_total',
    help: 'Stops by how the wait for running calls ended',
    labelNames: ['result'],
    registers,
  });
  const leaseWaitSeconds = new Histogram({
    name: 'rekindle_lease_wait_seconds',
    help: 'How long stops waited for running calls',
    buckets: fast,
    registers,
  });
  const outboxLag = new Histogram({
    name: 'rekindle_outbox_lag_seconds',
    help: 'Outbox row written to Temporal told',
    labelNames: ['kind'],
    buckets: slow,
    registers,
  });
  const repairs = new Counter({
    name: 'rekindle_repairs_total',
    help: 'What the reconciler and the sweep had to repair',
    labelNames: ['what'],
    registers,
  });
  const leftWaiting = new Counter({
    name: 'rekindle_transactions_left_waiting_total',
    help: 'Transactions that Postgres ended because this process sent nothing for too long; it gets too little processor time',
    labelNames: ['result'],
    registers,
  });
  const riskAnswers = new Counter({
    name: 'rekindle_risk_answers_total',
    help: 'Assessments that somebody asked for, by where they came from; without `computed` they were less than five minutes old',
    labelNames: ['source'],
    registers,
  });
  const riskSeconds = new Histogram({
    name: 'rekindle_risk_seconds',
    help: 'Each account by stage. inference: features and model; assessment: with what is read and written',
    labelNames: ['stage'],
    buckets: [0.0001, 0.00025, ...fast],
    registers,
  });
  const firstActionSeconds = new Histogram({
    name: 'rekindle_risk_first_action_seconds',
    help: 'An account’s entry into a band of risk to the first action about it accepted. put_off: whether hours, caps or a missing provider held it up',
    labelNames: ['put_off'],
    buckets: [0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600, 43_200, 86_400],
    registers,
  });
  const storesInAlarm = new Gauge({
    name: 'rekindle_stores_in_alarm',
    help: 'Stores by the alarms that are raised, each by the store’s own thresholds; every worker says the same',
    labelNames: ['figure'],
    registers,
  });
  const chatSeconds = new Histogram({
    name: 'rekindle_chat_answer_seconds',
    help: 'An update of a chat stored to the first message of its answer accepted by the provider',
    buckets: [...fast, 10, 30],
    registers,
  });
  const liveSeconds = new Histogram({
    name: 'rekindle_live_broadcast_seconds',
    help: 'An event written to handed to the sockets of all who listen',
    buckets: fast,
    registers,
  });
  const liveListeners = new Gauge({ name: 'rekindle_live_listeners', help: 'Who listens to live events now, in this process', registers });
  const liveEnded = new Counter({
    name: 'rekindle_live_ended_total',
    help: 'Listeners of live events that were let go, by why',
    labelNames: ['reason'],
    registers,
  });
  const [integrationLabel, topicLabel, reasonLabel] = [boundedLabel(), boundedLabel(), boundedLabel()];
  const [kindLabel, repairLabel] = [boundedLabel(), boundedLabel()];
  return {
    registry,
    telemetry: {
      webhook(name: string, result: string, durationMs: number) {
        const integration = integrationLabel(name);
        webhooks.inc({ integration, result });
        webhookSeconds.observe({ integration }, s(durationMs));
      },
      unreadable: (integration: string, topic: string, mayBeStop: boolean) =>
        unreadable.inc({ integration: integrationLabel(integration), topic: topicLabel(topic), may_be_stop: String(mayBeStop) }),
      verdict: (verdict: string, reason: string) => verdicts.inc({ verdict, reason: reasonLabel(reason) }),
      send(outcome: 'sent' | 'failed' | 'unknown', durationMs: number) {
        sends.inc({ outcome });
        sendSeconds.observe(s(durationMs));
      },
      dueToCall: (latenessMs: number) => lateness.observe(s(latenessMs)),
      claimToCall: (ms: number) => claimToCall.observe(s(ms)),
      dispatchedLate: (lateMs: number) => dispatchedLate.observe(s(lateMs)),
      leaseWait(result: string, waitedMs: number) {
        leaseWaits.inc({ result });
        leaseWaitSeconds.observe(s(waitedMs));
      },
      outboxDone: (kind: string, lagMs: number) => outboxLag.observe({ kind: kindLabel(kind) }, s(lagMs)),
      repaired: (what: string) => repairs.inc({ what: repairLabel(what) }),
      leftWaiting: (result: 'repeated' | 'given_up') => leftWaiting.inc({ result }),
      riskAnswered: (source: string) => riskAnswers.inc({ source }),
      riskStage: (stage: string, ms: number) => riskSeconds.observe({ stage }, s(ms)),
      firstAction: (ms: number, putOff: boolean) => firstActionSeconds.observe({ put_off: String(putOff) }, s(ms)),
      storesInAlarm: (figure: string, stores: number) => storesInAlarm.set({ figure }, stores),
      chatAnswered: (ms: number) => chatSeconds.observe(s(ms)),
      liveTold: (ms: number) => liveSeconds.observe(s(ms)),
      liveListeners: (count: number) => liveListeners.set(count),
      liveEnded: (reason: string) => liveEnded.inc({ reason }),
    },
  };
}
