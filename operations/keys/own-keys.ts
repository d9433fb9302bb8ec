import { isNotNull } from 'drizzle-orm';
import { connections } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { type KeyPurpose, keyPurposes } from '../sealing.ts';

/**
 * Read the keys by which addresses are hashed and links signed, and use them. They are stored sealed, so that the master key may be replaced and they stay:
 * a suppression would match nothing under another one. The first process of an installation that looks stores those that its master key has given so
 * far. To be called before anything is hashed or signed.
 * @throws SealError where the master key is not the one of this installation
 * Source: docs/rules.md#rule-77
 */
export async function useOwnKeys(deps: Pick<Deps, 'db' | 'sealing'>): Promise<void> {
  const { db, sealing } = deps;
  let stored = new Map((await db.installationKeys()).map(({ name, sealed }) => [name, sealed]));
  const missing = keyPurposes.filter((purpose) => !stored.has(purpose));
  if (missing.length > 0) {
    const root = await keyInUse(deps);
    for (const purpose of missing) await db.putInstallationKey(purpose, sealing.seal(sealing.derivedFrom(root, purpose).toString('base64')), null);
    // Another process may have been first.
    stored = new Map((await db.installationKeys()).map(({ name, sealed }) => [name, sealed]));
  }
  const open = (purpose: KeyPurpose) => Buffer.from(sealing.open(stored.get(purpose) ?? ''), 'base64');
  sealing.useKeys({ 'address-hash': open('address-hash'), links: open('links'), 'chat-links': open('chat-links') });
}

/** The master key that this installation has been running with: what is sealed names it, whichever order the keys are given in. */
async function keyInUse({ db, sealing }: Pick<Deps, 'db' | 'sealing'>): Promise<string> {
  for (const { id } of await db.listTenants()) {
    const [row] = await db.withTenant(id, (tx) =>
      tx.select({ secrets: connections.secrets, config: connections.sealedConfig }).from(connections).where(isNotNull(connections.secrets)).limit(1),
    );
    const sealed = row?.secrets[0] ?? row?.config;
    if (sealed !== null && sealed !== undefined) return sealing.sealedUnder(sealed);
  }
  return sealing.keyId;
}
