import { type ApiOptions, connect } from './api.ts';
import { listen, type LiveOptions } from './live.ts';
import { accounts } from './resources/accounts.ts';
import { alarms } from './resources/alarms.ts';
import { attempts } from './resources/attempts.ts';
import { attribution } from './resources/attribution.ts';
import { audit } from './resources/audit.ts';
import { backtests } from './resources/backtests.ts';
import { bulkActions } from './resources/bulk-actions.ts';
import { bulkEnrollments } from './resources/bulk-enrollments.ts';
import { campaigns } from './resources/campaigns.ts';
import { compositions } from './resources/compositions.ts';
import { connections } from './resources/connections.ts';
import { consents } from './resources/consents.ts';
import { contacts } from './resources/contacts.ts';
import { conversions } from './resources/conversions.ts';
import { decisions } from './resources/decisions.ts';
import { deliveries } from './resources/deliveries.ts';
import { enrollments } from './resources/enrollments.ts';
import { erasures } from './resources/erasures.ts';
import { events } from './resources/events.ts';
import { experiments } from './resources/experiments.ts';
import { explain } from './resources/explain.ts';
import { exports } from './resources/exports.ts';
import { facts } from './resources/facts.ts';
import { health } from './resources/health.ts';
import { holdouts } from './resources/holdouts.ts';
import { imports } from './resources/imports.ts';
import { integrations } from './resources/integrations.ts';
import { interventions } from './resources/interventions.ts';
import { invitations } from './resources/invitations.ts';
import { keys } from './resources/keys.ts';
import { leads } from './resources/leads.ts';
import { learning } from './resources/learning.ts';
import { links } from './resources/links.ts';
import { marketTriggers } from './resources/market-triggers.ts';
import { masterKey } from './resources/master-key.ts';
import { mcp } from './resources/mcp.ts';
import { members } from './resources/members.ts';
import { messages } from './resources/messages.ts';
import { notifications } from './resources/notifications.ts';
import { offers } from './resources/offers.ts';
import { outageDrills } from './resources/outage-drills.ts';
import { onsite } from './resources/onsite.ts';
import { parked } from './resources/parked.ts';
import { people } from './resources/people.ts';
import { previews } from './resources/previews.ts';
import { quarantine } from './resources/quarantine.ts';
import { recovery } from './resources/recovery.ts';
import { rehearsals } from './resources/rehearsals.ts';
import { risk } from './resources/risk.ts';
import { retention } from './resources/retention.ts';
import { scheduler } from './resources/scheduler.ts';
import { scripts } from './resources/scripts.ts';
import { sequences } from './resources/sequences.ts';
import { session } from './resources/session.ts';
import { settings } from './resources/settings.ts';
import { silentLeads } from './resources/silent-leads.ts';
import { subjects } from './resources/subjects.ts';
import { suggestions } from './resources/suggestions.ts';
import { suppressions } from './resources/suppressions.ts';
import { tasks } from './resources/tasks.ts';
import { telegram } from './resources/telegram.ts';
import { tenants } from './resources/tenants.ts';
import { variants } from './resources/variants.ts';
import { waves } from './resources/waves.ts';
import { webhookEndpoints } from './resources/webhook-endpoints.ts';
import { webhooks } from './resources/webhooks.ts';

export type ClientOptions = ApiOptions;

/**
 * A client with every resource of the API. To bundle only some of them: `const api = connect(options); const list = enrollments(api);`
 * @throws TypeError when `baseUrl` is no address
 */
export function createClient(options: ClientOptions) {
  const api = connect(options);
  return {
    /** Any operation, by its route: `client.request('GET /api/settings')`. */
    request: api.request,
    /** What happens in the store, as it happens: `for await (const event of client.live({ types: ['task.opened'] }))`. */
    live: (given?: LiveOptions) => listen(api, given),
    accounts: accounts(api),
    alarms: alarms(api),
    attempts: attempts(api),
    attribution: attribution(api),
    audit: audit(api),
    backtests: backtests(api),
    bulkActions: bulkActions(api),
    bulkEnrollments: bulkEnrollments(api),
    campaigns: campaigns(api),
    compositions: compositions(api),
    connections: connections(api),
    consents: consents(api),
    contacts: contacts(api),
    conversions: conversions(api),
    decisions: decisions(api),
    deliveries: deliveries(api),
    enrollments: enrollments(api),
    erasures: erasures(api),
    events: events(api),
    experiments: experiments(api),
    explain: explain(api),
    exports: exports(api),
    facts: facts(api),
    health: health(api),
    holdouts: holdouts(api),
    imports: imports(api),
    integrations: integrations(api),
    interventions: interventions(api),
    invitations: invitations(api),
    keys: keys(api),
    leads: leads(api),
    learning: learning(api),
    links: links(api),
    marketTriggers: marketTriggers(api),
    masterKey: masterKey(api),
    mcp: mcp(api),
    members: members(api),
    messages: messages(api),
    notifications: notifications(api),
    offers: offers(api),
    outageDrills: outageDrills(api),
    onsite: onsite(api),
    parked: parked(api),
    people: people(api),
    previews: previews(api),
    quarantine: quarantine(api),
    recovery: recovery(api),
    rehearsals: rehearsals(api),
    risk: risk(api),
    retention: retention(api),
    scheduler: scheduler(api),
    scripts: scripts(api),
    sequences: sequences(api),
    session: session(api),
    settings: settings(api),
    silentLeads: silentLeads(api),
    subjects: subjects(api),
    suggestions: suggestions(api),
    suppressions: suppressions(api),
    tasks: tasks(api),
    telegram: telegram(api),
    tenants: tenants(api),
    variants: variants(api),
    waves: waves(api),
    webhookEndpoints: webhookEndpoints(api),
    webhooks: webhooks(api),
  };
}

export type Client = ReturnType<typeof createClient>;
