import type { LinkUsed, TaskAction, TaskPage } from '../../../operations/notifications/links.ts';
import { type Html, html } from '../../html.ts';
import { smallPage } from '../../small-page.ts';

/** Pages behind the links in notifications of tasks. Without scripts, readable on a phone and in the dark. */

const asks: Readonly<Record<TaskAction, { label: string; title: string; says: string }>> = {
  accept: {
    label: 'Accept',
    title: 'Take this task?',
    says: 'It is yours then, and the automatic messages to this person are held until somebody releases them.',
  },
  reassign: { label: 'Reassign', title: 'Give this task to somebody else?', says: 'They are told, and have yet to accept it.' },
  snooze: { label: 'Snooze', title: 'Put this task off?', says: 'It is due again later. Automatic messages go on meanwhile.' },
  resolve: { label: 'Resolve', title: 'Close this task?', says: 'Say what came of it, for whoever looks at it later.' },
};

export const snoozeHours = [1, 4, 24, 72] as const;
const hoursText = (hours: number) => (hours < 24 ? `${hours} ${hours === 1 ? 'hour' : 'hours'}` : `${hours / 24} ${hours === 24 ? 'day' : 'days'}`);

const page = (nonce: string, shown: TaskPage | null, title: string, body: Html): Html =>
  smallPage({ nonce, title, body, ...(shown === null ? {} : { name: shown.storeName, accent: shown.brandColor }) });

const about = ({ title, person, due, recommendation }: TaskPage) =>
  html`<p><b>${title}${person === null ? null : html`: ${person}`}</b><br>due ${due}</p>
${recommendation === null ? null : html`<p>${recommendation}</p>`}`;

/** Asks before anything is done. @param fault - what was wrong with the form; null: nothing */
export function askPage(nonce: string, shown: TaskPage, action: TaskAction, fault: string | null): Html {
  const { label, title, says } = asks[action];
  return page(
    nonce,
    shown,
    title,
    html`${about(shown)}
<p class="soft">${says}</p>
${fault === null ? null : html`<p class="fault" role="alert">${fault}</p>`}
<form method="post">
${fieldsOf(shown, action)}
${
  shown.owner === null
    ? html`<label>Your name<input name="by" required maxlength="120" autocomplete="name"></label>`
    : html`<p class="soft">You act as <b>${shown.owner}</b>.</p>`
}
<button>${label}</button>
</form>
<p class="soft">Nothing has happened yet. If you did not want this, simply close the page. <a href="${shown.links.task}">Everything you can do</a></p>`,
  );
}

function fieldsOf({ owners, owner }: TaskPage, action: TaskAction): Html | null {
  switch (action) {
    case 'accept':
      return null;
    case 'reassign':
      return html`<label>To whom<select name="to"><option value="">Anybody</option>${owners.filter((name) => name !== owner).map((name) => html`<option>${name}</option>`)}</select></label>`;
    case 'snooze':
      return html`<label>For how long<select name="hours">${snoozeHours.map((hours) => html`<option value="${hours}">${hoursText(hours)}</option>`)}</select></label>`;
    case 'resolve':
      return html`<label>What came of it<select name="state"><option value="done">It is done</option><option value="dismissed">Nothing was to be done</option></select></label>
<label>Note (optional)<input name="result" maxlength="500"></label>`;
  }
}

/** Everything that can be done, for text messages, which have room for one link. */
export function choicePage(nonce: string, shown: TaskPage): Html {
  const actions = ['accept', 'reassign', 'snooze', 'resolve'] as const;
  const closed = Object.values(shown.states).find(({ kind }) => kind === 'closed' || kind === 'elsewhere' || kind === 'expired');
  if (closed !== undefined) return refusedPage(nonce, shown, closed);
  return page(
    nonce,
    shown,
    'What will you do?',
    html`${about(shown)}
<ul class="choices">${actions.map((action) => {
      const state = shown.states[action];
      const { label } = asks[action];
      return state.kind === 'used'
        ? html`<li><span class="soft">${label}: used ${momentOf(shown, state.atMs)} by ${state.by}</span></li>`
        : html`<li><a class="choice" href="${shown.links[action]}">${label}</a></li>`;
    })}</ul>
<p class="soft">Each asks before anything happens.</p>`,
  );
}

const momentOf = ({ timeZone }: TaskPage, ms: number): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone, day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' }).format(
    ms,
  );

type Refused = Exclude<LinkUsed, { kind: 'done' | 'done_not_held' | 'unknown' | 'usable' }>;

export const refusedStatus: Readonly<Record<Refused['kind'], 409 | 410>> = { used: 409, closed: 409, elsewhere: 409, expired: 410 };

/** Why a link does nothing. */
export function refusedPage(nonce: string, shown: TaskPage, refused: Refused | { kind: 'usable' }): Html {
  switch (refused.kind) {
    case 'used':
      return page(
        nonce,
        shown,
        'This link has been used',
        html`${about(shown)}<p>It was used on ${momentOf(shown, refused.atMs)} by <b>${refused.by}</b>. Each link works once.</p>${more(shown)}`,
      );
    case 'closed':
      return page(
        nonce,
        shown,
        'This task is closed',
        html`${about(shown)}<p>It was ${refused.state === 'done' ? 'done' : 'dismissed'}${refused.atMs === null ? null : html` on ${momentOf(shown, refused.atMs)}`}. Nothing is left to do.</p>`,
      );
    case 'elsewhere':
      return page(
        nonce,
        shown,
        'Somebody else has this task',
        html`${about(shown)}<p><b>${refused.owner}</b> has it now, so this link does nothing any more.</p>`,
      );
    case 'expired':
      return page(
        nonce,
        shown,
        'This link has expired',
        html`${about(shown)}<p>Links work for a week. Open the task in the dashboard, or ask a colleague to assign it again.</p>`,
      );
    case 'usable':
      return choicePage(nonce, shown);
  }
}

const more = ({ links }: TaskPage) => html`<p class="soft"><a href="${links.task}">Everything you can do</a></p>`;

const dones: Readonly<Record<TaskAction, { title: string; says: string }>> = {
  accept: { title: 'The task is yours', says: 'The automatic messages to this person are held until somebody releases them.' },
  reassign: { title: 'The task was given away', says: 'Whoever has it now is told.' },
  snooze: { title: 'The task was put off', says: 'It is due again then.' },
  resolve: { title: 'The task is closed', says: 'Thank you.' },
};

export const taskDonePage = (nonce: string, shown: TaskPage, action: TaskAction, isHeld: boolean): Html =>
  page(
    nonce,
    shown,
    dones[action].title,
    html`${about(shown)}<p>${
      isHeld
        ? dones[action].says
        : 'A message to this person was just on its way, so the automatic messages could not be held. Accept the task once more in the dashboard.'
    }</p>${action === 'accept' || action === 'snooze' ? more(shown) : null}`,
  );
