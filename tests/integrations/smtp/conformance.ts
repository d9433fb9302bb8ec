import { parseSmtpUrl } from '../../../integrations/smtp/connection.ts';
import { createSmtpSender } from '../../../integrations/smtp/send.ts';
import { type Fault, startSmtpServer } from '../../helpers/smtp-server.ts';
import { aMail } from '../a-mail.ts';
import type { ProviderConformance } from '../provider-conformance.ts';
import { type FarEndBehaviour, lateMs } from '../sender-conformance.ts';

// HTTP's 409 and 5xx have no counterpart: SMTP's 4yz and 5yz are refusals.
const faults: Partial<Record<FarEndBehaviour, Fault[]>> = {
  takes: [],
  takes_and_answers_slowly: [{ at: 'dot', act: 'pass', byteDelayMs: 2 }],
  refuses: [{ at: 'mail', act: { reply: '451 4.3.0 not now' } }],
  is_away: [],
  throttles: [{ at: 'rcpt', act: { reply: '450 4.7.1 too many messages' } }],
  refuses_our_account: [{ at: 'mail', act: { reply: '550 5.7.1 not for you' } }],
  refuses_the_address: [{ at: 'rcpt', act: { reply: '550 5.1.1 no such mailbox' } }],
  closes_before_taking: [{ at: 'data', act: 'close' }],
  resets_before_taking: [{ at: 'data', act: 'reset' }],
  hangs_before_taking: [{ at: 'data', act: 'hang' }],
  stops_reading: [{ at: 'body', act: 'stall' }],
  answers_before_the_end: [{ at: 'data', act: { reply: '354 go on\r\n552 5.3.4 too large' } }],
  refuses_after_the_end: [{ at: 'dot', act: { reply: '451 4.3.0 try again later' } }],
  hangs_after_the_end: [{ at: 'dot', act: 'hang' }],
  closes_after_the_end: [{ at: 'dot', act: 'close' }],
  takes_then_hangs: [{ at: 'dot', act: 'hang', taking: true }],
  takes_then_closes: [{ at: 'dot', act: 'close', taking: true }],
  takes_then_resets: [{ at: 'dot', act: 'reset', taking: true }],
  takes_then_answers_half: [{ at: 'dot', act: { reply: '250-half' }, taking: true }],
  takes_late: [{ at: 'dot', act: 'hang', taking: true, takingAfterMs: lateMs }],
};

// Short lines go out as they are, without an encoding that would cost more time than the call has.
const huge = `${'tea '.repeat(17)}\n`.repeat(40_000);

export const conformance: ProviderConformance = {
  senders: [true, false].map((pipelining) => ({
    name: `smtp ${pipelining ? 'with' : 'without'} pipelining`,
    payload: (size) => aMail(size === 'huge' ? { text: huge } : size === 'another' ? { subject: 'Another one' } : {}),
    async start() {
      const server = await startSmtpServer({ pipelining });
      return {
        sender: createSmtpSender(parseSmtpUrl(server.url)),
        behaviours: Object.keys(faults) as FarEndBehaviour[],
        behave: (behaviour, atTheEnd) => {
          if (behaviour === 'is_away') void server.close();
          const script = faults[behaviour] ?? [];
          server.script([
            { at: 'data', act: 'pass', ...script.find((fault) => fault.at === 'data'), ...(atTheEnd && { onReach: atTheEnd }) },
            ...script,
          ]);
        },
        takenAtMs: () => server.accepted.map((mail) => mail.atMs),
        calls: () => server.connections(),
        resume: () => server.resume(),
        close: () => server.close(),
      };
    },
  })),
};
