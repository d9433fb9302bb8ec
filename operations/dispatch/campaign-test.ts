import { v7 as uuidv7 } from 'uuid';
import type { StoredScript } from '../../content/step-texts.ts';
import { type Tx, unawaited } from '../../db/client.ts';
import { experimentAssignments } from '../../db/schema/index.ts';
import { type ArmInTest, armInTest, type CampaignTest } from '../../domain/experiments/campaign-test.ts';
import { pointOf } from './assignment.ts';
import type { EnrollmentRow } from './progress.ts';

/** A test of the campaign as `read_step_2` knows it. */
export interface StoredTest extends CampaignTest {
  channel: string;
  /** The arm that the person got before, by any of their contacts; null: none yet. */
  has: string | null;
  /** The script of each arm, as the campaign's own. One that was removed is missing. */
  scripts: Readonly<Record<string, StoredScript>>;
}

/** The script by which a test replaces the campaign's own on a channel. */
export interface TestedScript extends ArmInTest {
  experimentId: string;
  script: StoredScript;
}

/** The arms of a person in the tests of their campaign, by a hash as the holdout's. An arm whose script is gone is not sent. */
export function testedScripts(tests: readonly StoredTest[], { personId, enrolledAtMs }: { personId: string; enrolledAtMs: number }): TestedScript[] {
  return tests.flatMap((test): TestedScript[] => {
    const arm = armInTest(test, { has: test.has, enrolledAtMs, point: pointOf(test.id, personId) });
    const script = arm === null ? undefined : test.scripts[arm.variant];
    return arm === null || script === undefined ? [] : [{ ...arm, experimentId: test.id, script }];
  });
}

/** Written with the claim, so before the first send. */
export function storeArm(
  tx: Tx,
  { tenantId, contactId }: Pick<EnrollmentRow, 'tenantId' | 'contactId'>,
  { experimentId, variant, by }: TestedScript,
): void {
  if (by !== 'drawn') return;
  unawaited(tx, tx.insert(experimentAssignments).values({ tenantId, id: uuidv7(), experimentId, contactId, variant }).onConflictDoNothing());
}
