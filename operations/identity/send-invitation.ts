import { eq } from 'drizzle-orm';
import { invitationEmail } from '../../content/team-emails.ts';
import { tenants } from '../../db/schema/index.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { sendStoreMail, type TeamMailSent } from '../team-mail.ts';
import { invitationDays } from './invitations.ts';

/** Send the link of an invitation by email. Makes one attempt, because the person who invites has the link as well. */
export async function sendInvitation(
  deps: Deps,
  tenantId: string,
  { email, role, url }: { email: string; role: string; url: string },
): Promise<TeamMailSent> {
  const [tenant] = await deps.db.withTenant(tenantId, (tx) =>
    tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId)),
  );
  const { storeName: store } = settingsOf(tenant ?? { settings: {} });
  return sendStoreMail(deps, tenantId, email, invitationEmail({ store, role, url, days: invitationDays }));
}
