import { channels } from '../channels/index.ts';
import { tenantSettings } from '../tenant-settings.ts';
import type { LintRule } from './finding.ts';

/** The laws of most countries demand the sender's postal address in every commercial email (CAN-SPAM, 15 U.S.C. 7704(a)(5)). */
export const missingPostalAddress: LintRule = ({ definition, settings, known }) => {
  const first = definition.steps.findIndex((step) => step.channels.some((channel) => channels[channel].address === 'email'));
  const example = tenantSettings.parse({}).postalAddress;
  const stated = settings.postalAddress.trim();
  if (first === -1 || !known.has('postalAddress') || (stated !== '' && stated !== example)) return [];
  const message = 'sends an email, and the store has no postal address, which the law demands in it: set `postalAddress` in the store’s settings';
  return [{ rule: 'postal_address', severity: 'error', path: ['steps', first, 'channel'], message }];
};
