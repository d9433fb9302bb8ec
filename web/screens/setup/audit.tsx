import { getRouteApi } from '@tanstack/react-router';
import type { Item } from '../../../sdk/index.ts';
import { audit } from '../../../sdk/index.ts';
import { Choice } from '../../parts/choice.tsx';
import { plain } from '../../parts/format.ts';
import { AllPages, type PageAsk, usePages } from '../../parts/pages.tsx';
import { ExportCsv } from '../../parts/export-csv.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Empty } from '../../parts/states.tsx';
import { useTeamNames } from '../../parts/team-names.ts';
import { Time } from '../../parts/time.tsx';
import { auditWords } from '../../parts/words.ts';

const page = getRouteApi('/$store/audit');
const actions = [
  { value: '', name: 'Everything' },
  { value: 'sequence.', name: 'Sequences' },
  { value: 'settings.', name: 'Settings' },
  { value: 'connection.', name: 'Connections' },
  { value: 'enrollment.', name: 'People’s sequences' },
  { value: 'member.', name: 'Team' },
] as const;

/** Who changed what, and when. */
export function Audit() {
  const { action } = page.useSearch();
  const navigate = page.useNavigate();
  const names = useTeamNames();
  const ask: PageAsk<Item<'GET /api/audit'>> = (api, given, signal) =>
    audit(api).list({ ...given, ...(action === '' ? {} : { action }) }, { signal });
  const pages = usePages(['audit', action], ask, { live: true });
  return (
    <>
      <PageHeader title="Audit log" note="Everything that was changed, by whom and when. Nothing of it is ever changed.">
        <Choice label="Show" value={action} options={actions} onChange={(value) => void navigate({ search: { action: value }, replace: true })} />
        <ExportCsv name="audit-log" ask={ask} />
      </PageHeader>
      <Panel title="The latest first" flush>
        <AllPages of={pages} empty={<Empty title="Nothing of this kind" />}>
          {(rows) => (
            <ol className="divide-y divide-line border-t border-line">
              {rows.map(({ id, at, actor, key_name: key, action: what, subject, data }) => (
                <li key={id} className="grid gap-x-4 px-4 py-2 sm:grid-cols-[7rem_minmax(0,1fr)]">
                  <span className="text-xs leading-5 text-soft">
                    <Time at={at} />
                  </span>
                  <details className="min-w-0">
                    <summary className="cursor-pointer">
                      <span className="font-medium">{auditWords(what)}</span>
                      <span className="text-soft"> by {names.get(actor) ?? key ?? plain(actor)}</span>
                    </summary>
                    <p className="mt-1 text-xs break-words text-soft">
                      {subject !== null && <>{subject} · </>}
                      {actor}
                    </p>
                    <pre className="ltr mt-1 max-h-64 overflow-auto rounded bg-sunken p-2 text-xs whitespace-pre-wrap" tabIndex={0}>
                      {JSON.stringify(data, null, 2)}
                    </pre>
                  </details>
                </li>
              ))}
            </ol>
          )}
        </AllPages>
      </Panel>
    </>
  );
}
