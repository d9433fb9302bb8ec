import { Badge, type Tone } from './badge.tsx';
import type { Item } from '../../sdk/index.ts';

type Message = Item<'GET /api/messages'>;

const words: Record<Message['state'], [tone: Tone, word: string]> = {
  claimed: ['accent', 'being sent'],
  sent: ['good', 'sent'],
  failed: ['warn', 'failed'],
  unknown: ['bad', 'in doubt'],
  skipped: ['neutral', 'not sent'],
};

export function MessageState({ of: message }: { of: Pick<Message, 'state' | 'opened_at' | 'clicked_at'> }) {
  if (message.clicked_at !== null) return <Badge tone="good">clicked</Badge>;
  if (message.opened_at !== null) return <Badge tone="good">opened</Badge>;
  const [tone, word] = words[message.state];
  return <Badge tone={tone}>{word}</Badge>;
}
