import { and, eq, exists, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { riskAssessments, riskModels, riskStandings, subjects } from '../../db/schema/index.ts';
import { daysLeft, riskLevelOf, riskStages, type RiskBand } from '../../domain/risk/bands.ts';
import { predictionInWords } from '../../domain/risk/outcome.ts';
import { account } from '../../domain/subjects/account/index.ts';
import type { Deps } from '../deps.ts';
import type { AssessmentView } from './assessment.ts';
import { type Page, type PageWanted, readList, readSorted } from '../read/page.ts';
import { readSubject } from '../subject-row.ts';

type Row = typeof riskAssessments.$inferSelect;

export function viewOf(row: Row, modelVersion: number | null): AssessmentView {
  const { id, subjectId: accountId, at: atMs, by, rulesBecause, basis, score, band, bandBefore, base, factors, thresholds, prediction, cause } = row;
  const view = {
    id,
    accountId,
    atMs,
    by,
    rulesBecause,
    basis,
    score,
    band,
    bandBefore,
    stage: riskStages[band],
    level: riskLevelOf(band, score, thresholds),
    daysLeft: daysLeft[band],
    base,
    factors,
    thresholds,
  };
  return {
    ...view,
    reasons: by === 'model' && base === null ? 'approximate' : 'exact',
    prediction,
    modelVersion,
    cause,
    begun: row.enrollmentId,
    keptFrom: row.keptFrom,
    sentence: sentenceOf(row),
  };
}

function sentenceOf({ basis, base, score, prediction, rulesBecause: because }: Row): string {
  const percent = `${(100 * score).toFixed(0)}%`;
  const approximate = base === null ? ' It comes from a model of the store’s own; the reasons are approximations.' : '';
  if (basis === 'chance') return `The chance of ${predictionInWords(prediction)} is ${percent}, calibrated on outcomes.${approximate}`;
  if (basis === 'quantile')
    return `It is silent already: it ranks higher than ${percent} of the silent accounts. This is no chance; a chance of ${predictionInWords(prediction)} would be high for nearly all of them.`;
  const why = because === 'model_unavailable' ? 'the model could not be used' : 'there are too few outcomes to learn from';
  return `It ranks ${score.toFixed(2)} of 1 by rules of thumb, because ${why}. This is no chance of ${predictionInWords(prediction)}.`;
}

/** An assessment with whom it is about. Personal data. */
export interface ListedAssessment extends AssessmentView {
  /** Of the account. */
  name: string | null;
  contactId: string | null;
}

/**
 * Assessments, the latest first.
 * @param search - `latest`: only those by which accounts stand now, one for each
 */
export function listAssessments(
  deps: Pick<Deps, 'db' | 'subjects'>,
  tenantId: string,
  search: { account?: string | undefined; band?: RiskBand | undefined; latest?: boolean | undefined },
  page: PageWanted,
): Promise<Page<ListedAssessment>> {
  return readList(deps, tenantId, async (tx) => {
    const standing = tx
      .select({ one: sql`1` })
      .from(riskStandings)
      .where(and(eq(riskStandings.subjectId, riskAssessments.subjectId), eq(riskStandings.assessmentId, riskAssessments.id)));
    const columns = { score: riskAssessments.score };
    const { items, next } = await readSorted(page, { usual: 'newest', id: riskAssessments.id, columns }, (part) =>
      tx
        .select({ id: riskAssessments.id, sortedBy: part.sortedBy, row: riskAssessments, version: riskModels.version, subject: subjects })
        .from(riskAssessments)
        .innerJoin(subjects, eq(subjects.id, riskAssessments.subjectId))
        .leftJoin(riskModels, eq(riskModels.id, riskAssessments.modelId))
        .where(
          and(
            search.latest === true ? exists(standing) : undefined,
            search.account === undefined ? undefined : eq(riskAssessments.subjectId, search.account),
            search.band === undefined ? undefined : eq(riskAssessments.band, search.band),
            part.where,
          ),
        )
        .orderBy(...part.orderBy)
        .limit(part.limit),
    );
    const show = ({ row, version, subject }: (typeof items)[number]) => ({
      ...viewOf(row, version),
      name: account.details.parse(readSubject(deps.subjects, subject).subject.details).name,
      contactId: subject.contactId,
    });
    return { items: items.map(show), next };
  });
}

/** @returns null where there is no such assessment */
export async function readAssessment(tx: Tx, id: string): Promise<AssessmentView | null> {
  const [found] = await tx
    .select({ row: riskAssessments, version: riskModels.version })
    .from(riskAssessments)
    .leftJoin(riskModels, eq(riskModels.id, riskAssessments.modelId))
    .where(eq(riskAssessments.id, id));
  return found === undefined ? null : viewOf(found.row, found.version);
}
