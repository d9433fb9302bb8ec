import { domainToASCII } from 'node:url';
import type { ChannelContent } from '../channel-content.ts';
import { compileEmail, compileModelEmail } from './compile.ts';
import { type CompiledEmail, compiledEmail } from './compiled.ts';
import { renderEmail, renderEmailParts } from './render.ts';
import type { CopyFacts } from '../../copy-facts.ts';
import type { EmailFacts } from './view.ts';

export const emailContent: ChannelContent<'email', CompiledEmail> = {
  suffix: '',
  compile: (source, { kind, language }) => compileEmail(source, kind, language),
  forModel: compileModelEmail,
  read: (stored) => compiledEmail.parse(stored),
  compose(compiled, facts, to) {
    const { settings, contact, sendKey } = facts;
    const told = emailFacts(facts);
    const { unsubscribeUrl } = told;
    const rendered = renderEmail(compiled, told);
    const domain = domainToASCII(settings.senderAddress.slice(settings.senderAddress.lastIndexOf('@') + 1)) || 'localhost';
    const name = [contact.firstName, contact.lastName].filter((part) => part !== null).join(' ');
    return {
      channel: 'email',
      // From the send key alone: every copy of this message, should there ever be one, carries the same id.
      messageId: `<${sendKey.enrollmentId}.${sendKey.stepId}@${domain}>`,
      from: { name: settings.senderName, address: settings.senderAddress },
      replyTo: settings.replyTo,
      to: { name: name === '' ? null : name, address: to },
      ...rendered,
      unsubscribeUrl,
      dateMs: facts.nowMs,
    };
  },
  parts: (compiled, facts) => renderEmailParts(compiled, emailFacts(facts)),
};

function emailFacts(facts: CopyFacts): EmailFacts {
  const { subject, links } = facts;
  return {
    ...facts,
    subjectUrl: subject.kind.link(subject.details) === null ? null : links.click(),
    unsubscribeUrl: links.unsubscribe(),
    openPixelUrl: links.open(),
  };
}
