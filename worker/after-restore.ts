// Run once after a backup was restored, before any worker: docs/production.md#backup-and-restore
import { readEnv } from '../config/env.ts';
import { createLogger } from '../config/logger.ts';
import { doubtAfterRestore } from '../operations/after-restore.ts';
import { createDeps } from '../operations/create-deps.ts';

const usage = 'After a restore: after-restore LOST_AT, when the lost database stopped, such as 2026-03-10T04:15:00Z, or `now`';

async function main(given: string | undefined): Promise<void> {
  const lostAtMs =
    given === 'now' ? Date.now() : /^\d{4}-\d\d-\d\dT\d\d:\d\d.*(Z|[+-]\d\d:\d\d)$/.test(given ?? '') ? Date.parse(given ?? '') : Number.NaN;
  if (Number.isNaN(lostAtMs) || lostAtMs > Date.now() + 60_000) throw new Error(usage);
  const env = readEnv();
  const deps = createDeps({
    databaseUrl: env.DATABASE_URL,
    masterKey: env.REKINDLE_MASTER_KEY,
    otherMasterKeys: env.REKINDLE_OTHER_MASTER_KEYS,
    publicUrl: env.PUBLIC_URL,
    smtpUrl: env.SMTP_URL,
    timeScale: env.REKINDLE_TIME_SCALE,
    log: createLogger({ part: 'worker', level: env.LOG_LEVEL }),
    applicationName: 'rekindle-after-restore',
  });
  try {
    const { enrollments, steps } = await doubtAfterRestore(deps, lostAtMs);
    process.stdout.write(`${steps} steps of ${enrollments} enrollments may have gone out in the gap: they are unknown, and never sent again.\n`);
  } finally {
    await deps.db.close();
  }
}

main(process.argv[2]).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
