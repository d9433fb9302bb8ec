import type { Data } from '../../../sdk/index.ts';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { plain, sentenceCase } from '../../parts/format.ts';

type Gate = Data<'GET /api/enrollments/{id}/explain'>['entries'][number] extends infer E ? (E extends { gates: (infer G)[] } ? G : never) : never;

const tones: Record<Gate['result'], Tone> = { pass: 'good', defer: 'warn', hold: 'warn', skip: 'neutral', stop: 'bad' };
const words: Record<Gate['result'], string> = { pass: 'open', defer: 'later', hold: 'holds', skip: 'leave out', stop: 'stop' };

/** What was looked at before a step, in its order, and what was found. */
export function Gates({ of: gates }: { of: readonly Gate[] }) {
  if (gates.length === 0) return <p className="text-[0.8125rem] text-soft">Nothing was looked at: the decision was made before.</p>;
  return (
    <ul aria-label="What was looked at" className="mt-2 divide-y divide-line border-t border-line">
      {gates.map(({ gate, result, input, note }, index) => (
        <li key={`${gate} ${index}`} className="grid grid-cols-[4.5rem_minmax(0,1fr)] gap-x-2 py-1.5 text-[0.8125rem]">
          <span>
            <Badge tone={tones[result]}>{words[result]}</Badge>
          </span>
          <div className="min-w-0">
            <span className="font-medium">{sentenceCase(plain(gate))}</span>
            {note !== undefined && <span className="text-soft"> · {note}</span>}
            <p className="text-xs break-words text-soft">
              {Object.entries(input).map(([name, value]) => (
                <span key={name} className="me-3 inline-block">
                  {plain(name)}: <span className="text-ink">{value === null ? 'none' : String(value)}</span>
                </span>
              ))}
            </p>
          </div>
        </li>
      ))}
    </ul>
  );
}
