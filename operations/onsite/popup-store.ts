import { createHash } from 'node:crypto';
import { eq, and } from 'drizzle-orm';
import { CommitUnclearError } from '../../db/client.ts';
import { popups } from '../../db/schema/index.ts';
import { type OnsitePayload, type PopupStore, PopupStoreError } from '../../integrations/port.ts';
import { classifyFailure } from '../classify-failure.ts';
import type { Deps } from '../deps.ts';

/** The port of the integration `onsite`, filled by our own database. */
export function popupStoreOf({ db }: Pick<Deps, 'db'>, tenantId: string): PopupStore {
  return {
    async putDown(sendKey, popup, mayCommit) {
      const [enrollmentId = '', stepId = ''] = sendKey.split(/:(.*)/s);
      const digest = digestOf(popup);
      try {
        return await db.withTenant(tenantId, async (tx) => {
          // A repeat waits here for a call whose transaction still runs, and then finds its row.
          await tx.insert(popups).values({ tenantId, enrollmentId, stepId, digest }).onConflictDoNothing();
          const [stored] = await tx
            .select({ digest: popups.digest })
            .from(popups)
            .where(and(eq(popups.enrollmentId, enrollmentId), eq(popups.stepId, stepId)));
          if (stored?.digest !== digest) return 'another';
          // The transaction is committed in the same turn of the event loop as this answer is followed.
          if (!mayCommit()) throw new TooLateError();
          return 'stored';
        });
      } catch (error) {
        if (error instanceof TooLateError) return 'too_late';
        throw new PopupStoreError(codeOf(error), error);
      }
    },
  };
}

/** Rolls the transaction back. */
class TooLateError extends Error {}

function codeOf(error: unknown): PopupStoreError['code'] {
  if (error instanceof CommitUnclearError) return 'unclear';
  return classifyFailure(error) === 'unexpected' ? 'refused' : 'away';
}

/** The same whatever the order of the fields: the ledger keeps none. */
function digestOf(popup: OnsitePayload): string {
  const fields = Object.entries(popup).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}
