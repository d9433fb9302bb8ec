import type { SetAside } from '../../../operations/read/quarantine.ts';
import { type Html, html } from '../../html.ts';
import { isoTime } from '../fields.ts';

/** What a store's banner says about its quarantine; null: nothing waits there. */
export function quarantineNotice({ open, mayBeStops }: { open: number; mayBeStops: number }): Html | null {
  if (open === 0) return null;
  const unread = `${open} ${open === 1 ? 'delivery' : 'deliveries'} could not be read.`;
  const stops =
    mayBeStops === 0
      ? null
      : ` ${mayBeStops === open ? (open === 1 ? 'It' : 'Each') : mayBeStops} may be a purchase, a reply or an opt-out: until this is corrected, emails may go out that should not.`;
  return html`<p class="notice${mayBeStops > 0 ? ' urgent' : ''}"><b>${unread}</b>${stops} <a href="/quarantine">See why, and what to do</a></p>`;
}

/** Everything that waits in the quarantines of this machine, without the bodies: they hold personal data. */
export function quarantineHtml(stores: readonly { name: string; deliveries: readonly SetAside[]; more: boolean }[]): Html {
  const filled = stores.filter((store) => store.deliveries.length > 0);
  if (filled.length === 0) return html`<p>Every delivery could be read.</p>`;
  return html`<p>These webhooks were authentic and are kept whole, but Rekindle could not read them, so they have had no effect. Correct what sends them, or update Rekindle; then read them again with <code>npx rekindle quarantine replay</code>. <code>npx rekindle quarantine show ID</code> prints one with its body.</p>
${filled.map(
  ({ name, deliveries, more }) => html`<h3>${name}</h3>
<div class="scroll"><table><thead><tr><th scope="col">Received</th><th scope="col">From</th><th scope="col">Topic</th><th scope="col">Why it could not be read</th><th scope="col">May be a stop</th><th scope="col">ID</th></tr></thead>
<tbody>${deliveries.map(rowHtml)}</tbody></table></div>
${more ? html`<p>There are more: <code>npx rekindle quarantine</code> lists them all.</p>` : null}`,
)}`;
}

function rowHtml(d: SetAside): Html {
  const why = d.fields.length === 0 ? d.reason : d.fields.map(({ field, reason }) => `${field} ${reason}`).join('; ');
  return html`<tr><td>${isoTime(d.receivedAtMs).slice(0, 19).replace('T', ' ')} UTC</td><td>${d.integration}</td><td>${d.topic}</td><td>${why}</td><td>${d.mayBeStop ? 'yes' : 'no'}</td><td><code>${d.id}</code></td></tr>`;
}
