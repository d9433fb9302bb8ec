import type { Payload } from '../../integrations/port.ts';
import { recordEngagement } from '../../operations/record-engagement.ts';
import type { Behaviour, Call } from './far-end.ts';
import { type HistoryStage, sleep } from './stage.ts';

const plain: Behaviour = { takeAfterMs: 0, answer: 200, answerAfterMs: 1, dropsAbandoned: false };

/** Record what the far end sees of a run, and let it behave as the history's plan says. */
export function listenTo(stage: HistoryStage, run: number, enrollmentId: string): void {
  const { seen, counts, signals, plan } = stage;
  const behaviours = [...(plan.behaviours[run] ?? [])];
  const name = `run ${run + 1}`;
  stage.world.farEnd.listen(enrollmentId, {
    behaviour: () => (stage.calm ? plain : (behaviours.shift() ?? plain)),
    began: (call, payload) => {
      seen.calls.push(call);
      counts.calls += 1;
      stage.payloads.set(run, payload);
      if (call.channel === 'sms') counts.texts += 1;
      stage.note(`${call.process}: call of ${name} begins (${call.channel})`);
      signals.give(`called ${run}`);
      if (seen.calls.filter((c) => c.key === call.key).length === 2) signals.give(`called_again ${run}`);
      stage.called(run);
    },
    accepted: (acceptance, payload) => {
      seen.accepted.push(acceptance);
      counts.accepted += 1;
      if (acceptance.call.endedMs !== null) counts.late_acceptances += 1;
      stage.note(`far end (${acceptance.call.channel}) ACCEPTS ${name}${acceptance.call.endedMs === null ? '' : ' (its caller has gone)'}`);
      signals.give(`accepted ${run}`);
      if (plan.clicksAfterMs !== null) stage.clicks.push(click(stage, payload, plan.clicksAfterMs));
    },
    ended: (call: Call) => {
      if (call.outcome === 'refused') counts.refused += 1;
      if (call.outcome === 'unknown') counts.unknown += 1;
      if (call.outcome === 'abandoned') counts.abandoned += 1;
      stage.note(`${call.process}: call of ${name} ends: ${call.outcome ?? ''}`);
    },
  });
}

/** Whoever got the message clicks on it: proof that it arrived. */
async function click(stage: HistoryStage, payload: Payload, afterMs: number): Promise<void> {
  await sleep(afterMs);
  try {
    const messageId = await stage.messageIdOf(payload);
    if (messageId === null) return;
    stage.counts.clicks += 1;
    stage.note('a click on the message');
    await recordEngagement(stage.world.deps, { tenantId: stage.tenantId, messageId, type: 'clicked', machine: false });
  } catch (error) {
    stage.surprise('click', error);
  }
}
