import type { Sender } from '../../../integrations/port.ts';
import { type Dialect, startStubProvider } from '../../helpers/stub-provider.ts';
import type { FarEnd } from '../sender-conformance.ts';
import { httpAnswers, httpBehaviours } from './behaviours.ts';

/** The far end of a provider with an HTTP API, and a sender that talks to it. @param senderAt - by the port of the far end */
export async function startHttpFarEnd(knowsKeys: boolean, dialect: Dialect, senderAt: (port: number) => Sender): Promise<FarEnd> {
  const provider = await startStubProvider(knowsKeys, dialect);
  let stopped: Promise<void> | null = null;
  const stop = () => (stopped ??= provider.stop());
  return {
    sender: senderAt(provider.port),
    behaviours: Object.keys(httpBehaviours) as (keyof typeof httpBehaviours)[],
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
