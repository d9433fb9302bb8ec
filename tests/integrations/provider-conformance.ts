import { integrations, type Integrations, sends } from '../../integrations/index.ts';
import { describeReceiverConformance, type ReceiverHarness } from './receiver-conformance.ts';
import { describeSenderConformance, type SenderHarness } from './sender-conformance.ts';

/** What a provider brings so that its halves can be tested: `<name>/conformance.ts` exports it as `conformance`. */
export interface ProviderConformance {
  receiver?: ReceiverHarness;
  /** One for each way in which the sender is used. */
  senders?: readonly SenderHarness[];
}

/**
 * The suites of every receiver, or of every sender, in the registry.
 * @param folder - of the modules
 * @throws Error naming the provider that brings none, so that a new one is not forgotten
 */
export async function describeRegistered(half: 'receiver' | 'sender', folder: URL, known: Integrations = integrations): Promise<void> {
  for (const integration of Object.values(known)) {
    const { name, receiver } = integration;
    if (half === 'receiver' ? receiver === undefined : !sends(integration)) continue;
    const brought = await conformanceOf(name, folder);
    if (half === 'sender') {
      if (brought.senders === undefined || brought.senders.length === 0) throw new Error(`${name} sends, and its conformance.ts brings no senders.`);
      for (const harness of brought.senders) describeSenderConformance(harness);
    } else {
      if (brought.receiver === undefined) throw new Error(`${name} reports, and its conformance.ts brings no receiver.`);
      if (brought.receiver.receiver !== receiver) throw new Error(`The conformance.ts of ${name} tests another receiver than the registered one.`);
      describeReceiverConformance(brought.receiver);
    }
  }
}

/** @throws Error when the provider brings no module */
async function conformanceOf(name: string, folder: URL): Promise<ProviderConformance> {
  const file = new URL(`${name}/conformance.ts`, folder);
  try {
    const loaded: { conformance: ProviderConformance } = await import(/* @vite-ignore */ file.href);
    return loaded.conformance;
  } catch (cause) {
    throw new Error(`The integration "${name}" needs ${file.pathname}, by which the shared suites test it.`, { cause });
  }
}
