import type { Sender } from '../../../integrations/port.ts';
import { type Dialect, startStubProvider } from '../../helpers/stub-provider.ts';
import type { FarEnd, FarEndBehaviour } from '../sender-conformance.ts';
import { httpAnswers, httpBehaviours } from './behaviours.ts';

/** Of a message that is all in its address, nothing comes before its end. */
const needsBody: ReadonlySet<FarEndBehaviour> = new Set([
  'closes_before_taking',
  'resets_before_taking',
  'hangs_before_taking',
  'stops_reading',
  'answers_before_the_end',
]);

/** The far end of a provider with an HTTP API, and a sender that talks to it. @param senderAt - by the port of the far end */
export async function startHttpFarEnd(knowsKeys: boolean, dialect: Dialect, senderAt: (port: number) => Sender): Promise<FarEnd> {
  const provider = await startStubProvider(knowsKeys, dialect);
  let stopped: Promise<void> | null = null;
  const stop = () => (stopped ??= provider.stop());
  return {
    sender: senderAt(provider.port),
    behaviours: (Object.keys(httpBehaviours) as FarEndBehaviour[]).filter((one) => dialect.sentByGet !== true || !needsBody.has(one)),
    behave: (behaviour, atTheEnd) => {
      if (behaviour === 'is_away') void stop();
      provider.onHead = atTheEnd ?? (() => undefined);
      provider.nextOnly(httpBehaviours[behaviour]);
    },
    takenAtMs: () => provider.accepted.map(({ atMs }) => atMs),
    calls: () => provider.calls,
    resume: () => provider.resume(),
    behaveWhenAsked: (answer) => {
      provider.whenAsked = httpAnswers[answer];
    },
    close: stop,
  };
}
