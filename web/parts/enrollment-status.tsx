import { Badge, type Tone } from './badge.tsx';
import { plain } from './format.ts';

type Status = 'ACTIVE' | 'PAUSED' | 'COMPLETED' | 'CONVERTED' | 'EXITED';
const words: Record<Status, [tone: Tone, word: string]> = {
  ACTIVE: ['accent', 'running'],
  PAUSED: ['warn', 'on hold'],
  COMPLETED: ['neutral', 'completed'],
  CONVERTED: ['good', 'converted'],
  EXITED: ['neutral', 'ended'],
};

/** What the API says as any text. @returns null: none of these */
export const statusOf = (text: string | null): Status | null => (text !== null && text in words ? (text as Status) : null);

/** @param reason - of its end */
export function EnrollmentStatus({ status, reason = null }: { status: Status; reason?: string | null }) {
  const [tone, word] = words[status];
  return (
    <Badge tone={tone}>
      {word}
      {reason !== null && status === 'EXITED' ? `: ${reason === 'manual' ? 'by hand' : plain(reason)}` : ''}
    </Badge>
  );
}
