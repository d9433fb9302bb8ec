import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { html } from '../../html.ts';
import { pageAnswer, sendPage } from '../../plugins/html-page.ts';
import { smallPage } from '../../small-page.ts';
import { dashboardPath } from '../dashboard/dashboard.ts';

const tags = ['session'];
const passwordField = (label: string, autocomplete: 'current-password' | 'new-password') =>
  html`<label>${label}<input name="password" type="password" autocomplete="${autocomplete}" minlength="10" maxlength="200" required></label>`;
const fault = html`<p class="fault" role="alert"></p>`;

/** Pages with which people sign in, accept an invitation and set a new password. They do with the API what every program can. */
export const sessionPages: FastifyPluginAsyncZod<{ hasOidc: boolean; sendsPasswordLinks: boolean }> = async (
  app,
  { hasOidc, sendsPasswordLinks },
) => {
  const elsewhere = hasOidc ? html`<button type="button" class="second" data-oidc>Sign in at your identity provider</button>` : null;
  const answer = (description: string) => ({ 200: pageAnswer(description) });

  app.get(
    '/sign-in',
    { schema: { ...{ tags, summary: 'The page to sign in' }, response: answer('A form, or who is signed in.') } },
    async (_request, reply) =>
      sendPage(reply, 200, (nonce) =>
        smallPage({
          ...{ nonce, title: 'Sign in', name: 'Rekindle', script: `${shared}${signInScript}` },
          body: html`${fault}<form id="form" hidden><label>Email address<input name="email" type="email" autocomplete="username" required></label>
${passwordField('Password', 'current-password')}<button>Sign in</button></form>
${elsewhere}<div id="there" hidden><p id="who"></p><ul id="stores"></ul><p><a href="${dashboardPath}">Open the dashboard</a></p><button type="button" class="second" id="out">Sign out</button></div>
<p class="soft">${
            sendsPasswordLinks
              ? html`<a href="/forgotten-password">Forgotten your password?</a>`
              : 'Forgotten your password? Whoever runs this installation gives you a link to a new one.'
          }</p>`,
        }),
      ),
  );

  app.get(
    '/invitation',
    { schema: { ...{ tags, summary: 'The page of an invitation’s link' }, response: answer('What the link leads to, and a form to accept it.') } },
    async (_request, reply) =>
      sendPage(reply, 200, (nonce) =>
        smallPage({
          ...{ nonce, title: 'You are invited', name: 'Rekindle', script: `${shared}${invitationScript}` },
          body: html`<p id="what"></p>${fault}<form id="form" hidden><label>Email address<input name="email" type="email" autocomplete="username" readonly></label>
<label id="name">Your name<input name="name" autocomplete="name" maxlength="120" required></label>
${passwordField('Password', 'new-password')}<button>Accept</button></form>${elsewhere}`,
        }),
      ),
  );

  app.get(
    '/forgotten-password',
    { schema: { ...{ tags, summary: 'The page to ask for a new password' }, response: answer('A form for the address that the link is sent to.') } },
    async (_request, reply) =>
      sendPage(reply, 200, (nonce) =>
        smallPage({
          ...{ nonce, title: 'Forgotten your password?', name: 'Rekindle', script: `${shared}${forgottenScript}` },
          body: sendsPasswordLinks
            ? html`${fault}<p id="sent" role="status" hidden>If there is an account with this address, a link to a new password is on its way. It works for an hour, once.</p>
<form id="form"><label>Email address<input name="email" type="email" autocomplete="username" required></label><button>Send me a link</button></form>
<p class="soft"><a href="/sign-in">Back to signing in</a></p>`
            : html`<p>This installation sends no emails of its own. Whoever runs it gives you a link to a new password.</p>`,
        }),
      ),
  );

  app.get(
    '/new-password',
    { schema: { ...{ tags, summary: 'The page of a link to a new password' }, response: answer('A form for the new password.') } },
    async (_request, reply) =>
      sendPage(reply, 200, (nonce) =>
        smallPage({
          ...{ nonce, title: 'A new password', name: 'Rekindle', script: `${shared}${passwordScript}` },
          body: html`${fault}<form id="form">${passwordField('New password', 'new-password')}<button>Save</button></form>
<p class="soft">Everywhere else you will be signed out.</p>`,
        }),
      ),
  );
};

const shared = `
const $ = (selector) => document.querySelector(selector);
const say = (text) => { $('.fault').textContent = text; };
const token = location.hash.slice(1);
async function ask(method, path, body) {
  try {
    const response = await fetch(path, { method, headers: body === undefined ? {} : { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    const data = response.status === 204 || response.status === 202 ? null : await response.json();
    return response.ok ? { data, error: null } : { data: null, error: data };
  } catch {
    return { data: null, error: { code: 'unreachable', detail: 'The server cannot be reached. Try again.' } };
  }
}
function onSubmit(act) {
  $('#form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = $('#form button');
    button.disabled = true;
    say('');
    try { await act(Object.fromEntries(new FormData($('#form')))); } finally { button.disabled = false; }
  });
}
$('[data-oidc]')?.addEventListener('click', async () => {
  const path = location.pathname === '/invitation' ? '/invitation' : '/sign-in';
  if (path === '/invitation') sessionStorage.setItem('invitation', token || sessionStorage.getItem('invitation') || '');
  const { data, error } = await ask('POST', '/api/session/oidc', { return_to: path });
  if (error) say(error.detail); else location.assign(data.url);
});
`;

const signInScript = `
const ownAccount = 'There is another account for this address. Sign in as you did when you made it: with its password, or as the same person at your identity provider.';
const faults = { 'unable_to_link_account': ownAccount, 'account_not_linked': ownAccount, 'NOT_INVITED': 'No store of this installation has invited this address.' };
const query = new URLSearchParams(location.search);
const refused = query.get('error');
// Back to the page of the dashboard that asked for it; to nowhere else.
const to = /^\\/app(?:[/?]|$)/.test(query.get('to') ?? '') ? query.get('to') : null;
async function show() {
  const { data } = await ask('GET', '/api/session');
  $('#form').hidden = data !== null;
  $('#there').hidden = data === null;
  if ($('[data-oidc]')) $('[data-oidc]').hidden = data !== null;
  if (data === null) return;
  say('');
  $('h1').textContent = 'You are signed in';
  $('#who').textContent = data.person.name + ' (' + data.person.email + ')';
  $('#stores').replaceChildren(...data.stores.map(({ name, role }) => Object.assign(document.createElement('li'), { textContent: name + ': ' + role })));
  // Signing in takes no invitation: its link does.
  if (data.stores.length === 0) say('No store has let you in yet. Open the link of your invitation, or ask whoever sent it for another one.');
}
onSubmit(async ({ email, password }) => {
  const { error } = await ask('POST', '/api/session', { email, password });
  if (error) say(error.detail); else location.assign(to ?? '${dashboardPath}');
});
$('#out').addEventListener('click', async () => { await ask('DELETE', '/api/session'); location.reload(); });
if (refused !== null) say(faults[refused] ?? 'The identity provider did not let you in (' + refused.slice(0, 60) + ').');
void show();
`;

const invitationScript = `
const held = token || sessionStorage.getItem('invitation') || '';
let invitation = null;
async function accept(body) {
  const { error } = await ask('POST', '/api/session/invitation/accept', { token: held, ...body });
  if (error) return say(error.detail);
  sessionStorage.removeItem('invitation');
  location.assign('${dashboardPath}');
}
async function show() {
  const { data, error } = await ask('POST', '/api/session/invitation', { token: held });
  if (error) {
    if ($('[data-oidc]')) $('[data-oidc]').hidden = true;
    return say(error.detail);
  }
  invitation = data;
  $('#what').textContent = data.store + ' invites ' + data.email + ', with the role ' + data.role + '.';
  const { data: session } = await ask('GET', '/api/session');
  if (session !== null && session.person.email === data.email) return accept({});
  if (session !== null) say('You are signed in as ' + session.person.email + '. Sign out first: this invitation is for another address.');
  $('#form').hidden = session !== null;
  $('[name=email]').value = data.email;
  if (!data.has_account) return;
  $('#name').remove();
  $('#form button').textContent = 'Sign in and accept';
  $('[name=password]').autocomplete = 'current-password';
}
onSubmit(async ({ email, name, password }) => {
  if (!invitation.has_account) return accept({ name, password });
  const { error } = await ask('POST', '/api/session', { email, password });
  if (error) say(error.detail); else await accept({});
});
void show();
`;

const forgottenScript = `
if ($('#form')) onSubmit(async ({ email }) => {
  const { error } = await ask('POST', '/api/session/forgotten-password', { email });
  if (error) return say(error.detail);
  $('#form').hidden = true;
  $('#sent').hidden = false;
});
`;

const passwordScript = `
if (token === '') say('This link is not whole. Open it again from where you got it.');
onSubmit(async ({ password }) => {
  const { error } = await ask('POST', '/api/session/password-link', { token, password });
  if (error) say(error.detail); else location.assign('/sign-in');
});
`;
