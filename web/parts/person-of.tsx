import { Link } from '@tanstack/react-router';
import { enrollments } from '../../sdk/index.ts';
import { useStore } from '../session/session.ts';
import { useStoreQuery } from '../session/store-query.ts';
import { nameOf, usePeopleNames } from './people-names.ts';

/** The person whom an enrollment is about, by name. */
export function PersonOf({ enrollment }: { enrollment: string }) {
  const { slug: store } = useStore();
  const found = useStoreQuery(['enrollment', enrollment], (api, signal) => enrollments(api).get(enrollment, { signal }));
  const names = usePeopleNames(found.data === undefined ? [] : [found.data.contact]);
  if (found.data === undefined) return '…';
  const person = names.get(found.data.contact);
  return (
    <Link to="/$store/people/$id" params={{ store, id: found.data.contact }} className="text-accent underline">
      {person === undefined ? 'the person' : nameOf(person)}
    </Link>
  );
}
