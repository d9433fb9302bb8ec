import type { ProofSubject } from './subject.ts';

export const lead: ProofSubject = {
  trigger: 'lead.created',
  quietFor: '0s',
  stopOn: '[purchased, replied, opted_out, contacted]',
  html: '<p>Thank you for asking.</p>',
  type: 'lead.created',
  report: (token, contact) => ({ lead: { id: token, source: 'website', interest: 'a desk lamp' }, contact }),
};
