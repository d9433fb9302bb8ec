import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../../operations/deps.ts';
import { type LinkWish, readTaskPage, type TaskAction, taskActions, type TaskPage, useTaskLink } from '../../../operations/notifications/links.ts';
import { pageAnswer, sendPage } from '../../plugins/html-page.ts';
import type { Limits } from '../../plugins/rate-limits.ts';
import { linkAnswers, linkParams, readLink, refuseLink } from './read-link.ts';
import { askPage, choicePage, refusedPage, refusedStatus, snoozeHours, taskDonePage } from './task-pages.ts';

const params = linkParams.extend({ action: z.string().meta({ description: taskActions.join(', ') }) });
const answers = {
  ...linkAnswers,
  400: pageAnswer('Something in the form cannot be used: the page says what.'),
  409: pageAnswer('It was used, the task is closed, or somebody else has it: the page says which.'),
  410: pageAnswer('The link has expired.'),
};
const actionOf = (text: string): TaskAction | undefined => taskActions.find((action) => action === text);

/** Links in notifications of tasks. A GET shows a page and changes nothing, because programs that check emails follow links; a POST acts, once. */
export const taskRoutes: FastifyPluginAsyncZod<{ deps: Deps; limits: Limits }> = async (app, options) => {
  const { deps } = options;

  app.get(
    '/t/:token',
    {
      schema: {
        tags: ['links'],
        summary: 'What can be done about a task',
        description: 'A page with a link for each action; changes nothing.',
        params: linkParams,
        response: { 200: pageAnswer('A page with links.'), ...answers },
      },
    },
    async (request, reply) => {
      const link = await readLink(options, request, request.params.token, 'task');
      if (link.kind !== 'good') return refuseLink(reply, link);
      const shown = await readTaskPage(deps, link.target);
      return shown === null ? refuseLink(reply, { kind: 'bad' }) : sendPage(reply, 200, (nonce) => choicePage(nonce, shown));
    },
  );

  app.get(
    '/t/:action/:token',
    {
      schema: {
        tags: ['links'],
        summary: 'Ask before doing something about a task',
        description: 'Shows a page with a button and changes nothing by itself: scanners follow links.',
        params,
        response: { 200: pageAnswer('A page with a button.'), ...answers },
      },
    },
    async (request, reply) => {
      const { action: named, token } = request.params;
      const action = actionOf(named);
      const link = await readLink(options, request, token, action === undefined ? 'task' : `task ${action}`);
      if (link.kind !== 'good' || action === undefined) return refuseLink(reply, link.kind === 'good' ? { kind: 'bad' } : link);
      const shown = await readTaskPage(deps, link.target);
      if (shown === null) return refuseLink(reply, { kind: 'bad' });
      return showState(reply, shown, action);
    },
  );

  app.post(
    '/t/:action/:token',
    {
      schema: {
        tags: ['links'],
        summary: 'Do something about a task, once',
        description: 'Needs no login: the link is the credential. Accept, reassign, snooze or resolve the task that the notification was about.',
        params,
        consumes: ['application/x-www-form-urlencoded'],
        body: z.unknown().meta({
          description: '`by` (who, where the target has no owner), `to` (reassign), `hours` (snooze), `state` and `result` (resolve)',
        }),
        response: { 200: pageAnswer('It is done.'), ...answers },
      },
    },
    async (request, reply) => {
      const { action: named, token } = request.params;
      const action = actionOf(named);
      const link = await readLink(options, request, token, action === undefined ? 'task' : `task ${action}`);
      if (link.kind !== 'good' || action === undefined) return refuseLink(reply, link.kind === 'good' ? { kind: 'bad' } : link);
      const shown = await readTaskPage(deps, link.target);
      if (shown === null) return refuseLink(reply, { kind: 'bad' });
      const form = new URLSearchParams(Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '');
      const read = readForm(form, action, shown);
      if (typeof read === 'string') return sendPage(reply, 400, (nonce) => askPage(nonce, shown, action, read));
      const used = await useTaskLink(deps, link.target, read.wish, read.by);
      switch (used.kind) {
        case 'unknown':
          return refuseLink(reply, { kind: 'bad' });
        case 'done':
        case 'done_not_held':
          deps.kickRelay();
          return sendPage(reply, 200, (nonce) => taskDonePage(nonce, shown, action, used.kind === 'done'));
        default:
          return sendPage(reply, refusedStatus[used.kind], (nonce) => refusedPage(nonce, shown, used));
      }
    },
  );
};

function showState(reply: FastifyReply, shown: TaskPage, action: TaskAction): FastifyReply {
  const state = shown.states[action];
  if (state.kind === 'usable') return sendPage(reply, 200, (nonce) => askPage(nonce, shown, action, null));
  return sendPage(reply, refusedStatus[state.kind], (nonce) => refusedPage(nonce, shown, state));
}

const lineIn = (form: URLSearchParams, name: string, most: number): string =>
  (form.get(name) ?? '')
    .replace(/[\x00-\x1f\x7f]+/g, ' ')
    .trim()
    .slice(0, most);

/** @returns what is wrong with the form, as text */
function readForm(form: URLSearchParams, action: TaskAction, { owner, owners }: TaskPage): { wish: LinkWish; by: string } | string {
  const by = owner ?? lineIn(form, 'by', 120);
  if (by === '') return 'Please give your name, so that colleagues know who has the task.';
  const wish = wishIn(form, action, owners);
  return typeof wish === 'string' ? wish : { wish, by };
}

function wishIn(form: URLSearchParams, action: TaskAction, owners: readonly string[]): LinkWish | string {
  switch (action) {
    case 'accept':
      return { action };
    case 'reassign': {
      const to = lineIn(form, 'to', 120);
      return to === '' || owners.includes(to) ? { action, to: to === '' ? null : to } : 'Please choose somebody from the list.';
    }
    case 'snooze': {
      const hours = snoozeHours.find((one) => String(one) === form.get('hours'));
      return hours === undefined ? 'Please choose for how long.' : { action, hours };
    }
    case 'resolve': {
      const state = (['done', 'dismissed'] as const).find((one) => one === form.get('state'));
      const result = lineIn(form, 'result', 500);
      return state === undefined ? 'Please say what came of it.' : { action, state, result: result === '' ? null : result };
    }
  }
}
