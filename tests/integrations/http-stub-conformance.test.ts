import { startStubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';
import { aMail } from './a-mail.ts';
import { httpAnswers, httpBehaviours } from './http/behaviours.ts';
import { describeSenderConformance, type FarEndBehaviour } from './sender-conformance.ts';

const huge = 'tea '.repeat(700_000);

for (const kind of ['none', 'keys', 'find'] as const) {
  describeSenderConformance({
    name: `a provider over HTTP, reconciliation by ${kind}`,
    payload: (size) => aMail(size === 'huge' ? { text: huge } : size === 'another' ? { subject: 'Another one' } : {}),
    async start() {
      const provider = await startStubProvider(kind === 'keys');
      let stopped: Promise<void> | null = null;
      const stop = () => (stopped ??= provider.stop());
      return {
        sender: createStubSender(provider.port, { kind, askTimeoutMs: 1_000 }),
        behaviours: Object.keys(httpBehaviours) as FarEndBehaviour[],
        behave: (behaviour, atTheEnd) => {
          if (behaviour === 'is_away') void stop();
          provider.onHead = atTheEnd ?? (() => undefined);
          provider.nextOnly(httpBehaviours[behaviour]);
        },
        takenAtMs: () => provider.accepted.map((acceptance) => acceptance.atMs),
        calls: () => provider.calls,
        resume: () => provider.resume(),
        behaveWhenAsked: (answer) => {
          provider.whenAsked = httpAnswers[answer];
        },
        close: stop,
      };
    },
  });
}
