import { readable } from '../../parts/words.ts';
import { Link } from '@tanstack/react-router';
import { messages } from '../../../sdk/index.ts';
import { plain } from '../../parts/format.ts';
import { MessageState } from '../../parts/message-state.tsx';
import { Panel } from '../../parts/panel.tsx';
import { nameOf, usePeopleNames } from '../../parts/people-names.ts';
import { Answer, Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';

/** What was just sent or left out; each leads to its person. */
export function LatestMessages() {
  const { slug } = useStore();
  const found = useStoreQuery(['messages', 'latest'], (api, signal) => messages(api).list({ limit: 8 }, { signal }), { live: true });
  const names = usePeopleNames(found.data?.data.map(({ contact }) => contact) ?? []);
  return (
    <Panel title="Just now" note="The latest steps, and what became of them." flush>
      <Answer of={found}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="Nothing has been due yet">The first message goes out some time after the first cart is left.</Empty>
          ) : (
            <ul className="divide-y divide-line border-t border-line">
              {data.map((message) => {
                const person = names.get(message.contact);
                return (
                  <li key={message.id} className="relative px-4 py-2 hover:bg-sunken/60">
                    <div className="flex items-baseline justify-between gap-3">
                      <Link
                        to="/$store/people/$id"
                        params={{ store: slug, id: message.contact }}
                        className="min-w-0 truncate font-medium after:absolute after:inset-0 hover:underline"
                      >
                        {person === undefined ? '…' : nameOf(person)}
                        <span className="font-normal text-soft"> · {plain(message.step)}</span>
                      </Link>
                      <span className="flex shrink-0 items-baseline gap-2 text-xs text-soft">
                        <MessageState of={message} />
                        <Time at={message.settled_at ?? message.claimed_at ?? message.created_at} />
                      </span>
                    </div>
                    <p className="line-clamp-1 text-[0.8125rem] text-soft">{readable(message.sentence)}</p>
                  </li>
                );
              })}
            </ul>
          )
        }
      </Answer>
    </Panel>
  );
}
