import { and, desc, eq, lte } from 'drizzle-orm';
import { behaviours, subjects } from '../../db/schema/index.ts';
import { accountFeatures, accountRules } from '../../domain/risk/account-features.ts';
import type { RiskBand } from '../../domain/risk/bands.ts';
import { type Behaviour, readStoredBehaviour } from '../../domain/risk/behaviour.ts';
import type { Features } from '../../domain/risk/example.ts';
import { type RuleScore, rankByRules } from '../../domain/risk/rules.ts';
import { account } from '../../domain/subjects/account/index.ts';
import type { Deps } from '../deps.ts';
import { type ExternalId, readExternalIds } from '../read/external-ids.ts';
import { readSubject } from '../subject-row.ts';

/** An account with what it did, and what that says about it. Personal data. */
export interface AccountView {
  id: string;
  contactId: string | null;
  name: string | null;
  url: string | null;
  area: string | null;
  band: RiskBand;
  externalIds: ExternalId[];
  createdAtMs: number;
  lastActivityAtMs: number;
  /** The moment that the rest is about. */
  atMs: number;
  /** Until then, the latest first. */
  behaviour: Behaviour[];
  features: Features;
  /** By rules: a rank, and no chance. */
  rank: RuleScore;
}

/** More behaviour is not looked at: two years of an account that does something on every day. */
const mostBehaviour = 5_000;

/**
 * An account as it was known at a moment: nothing that happened later is in it.
 * @param atMs - null: now
 * @returns null where the tenant has no such account
 */
export function readAccount(
  deps: Pick<Deps, 'db' | 'clock' | 'subjects'>,
  tenantId: string,
  id: string,
  atMs: number | null,
): Promise<AccountView | null> {
  const momentMs = atMs ?? deps.clock.nowMs();
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx
      .select()
      .from(subjects)
      .where(and(eq(subjects.id, id), eq(subjects.kind, account.kind)));
    if (row === undefined) return null;
    const rows = await tx
      .select({ kind: behaviours.kind, data: behaviours.data, occurredAt: behaviours.occurredAt })
      .from(behaviours)
      .where(and(eq(behaviours.subjectId, id), lte(behaviours.occurredAt, momentMs)))
      .orderBy(desc(behaviours.occurredAt), desc(behaviours.id))
      .limit(mostBehaviour);
    const behaviour = rows.map(readStoredBehaviour);
    const features = accountFeatures(behaviour, momentMs);
    const { subject } = readSubject(deps.subjects, row);
    const details = account.details.parse(subject.details);
    return {
      id,
      contactId: row.contactId,
      ...details,
      externalIds: (await readExternalIds(tx, [id])).get(id) ?? [],
      createdAtMs: subject.startedAt,
      lastActivityAtMs: subject.lastActivityAt,
      atMs: momentMs,
      behaviour,
      features,
      rank: rankByRules(accountRules, features),
    };
  });
}
