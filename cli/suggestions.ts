import { readFile } from 'node:fs/promises';
import { unwrap } from '../sdk/index.ts';
import { type Command, NotPossibleError, required, UsageError } from './command.ts';

/** What the results suggest to compare. */
export const suggestions: Command = {
  summary: 'comparisons that the results suggest, as drafts, until somebody approves one',
  usage: `rekindle suggestions               what to try in each sequence, with the evidence
rekindle suggestions show <id>     the sequence file with the comparison in it
rekindle suggestions draft <id>    have a model write the text that it needs; nothing is in use
rekindle suggestions approve <id> [--text FILE]
                                   publish it for new enrollments: the test begins, and ends by itself
rekindle suggestions dismiss <id> --reason TEXT
                                   not again while it rests on the same figures
rekindle suggestions dismissed     who dismissed what, when and why`,
  example: 'rekindle suggestions approve 3f9a0c4d2b7e61850a9c4f1e',
  takes: { show: 1, draft: 1, approve: 1, dismiss: 1, dismissed: 0 },
  options: { reason: { type: 'string' }, text: { type: 'string' } },
  async run({ store, args: [action, id], options }) {
    if (action === 'approve') {
      const file = options['text'];
      const written = typeof file !== 'string' ? {} : { text: await readFile(file, 'utf8') };
      const data = unwrap(await store.suggestions.approve(required(id, 'The suggestion’s id'), written));
      return { data, lines: [`${data.sequence} is version ${data.version}. The test begins with the first person.`] };
    }
    if (action === 'draft') {
      const data = unwrap(await store.suggestions.draft(required(id, 'The suggestion’s id')));
      const why = [...(data.reason === null ? [] : [`No model wrote it (${data.reason}). What the step says now:`]), ...data.refused];
      return { data, lines: [...why, ...(data.text ?? 'Only its compiled form is kept: write it anew.').trimEnd().split('\n')] };
    }
    if (action === 'dismiss') {
      const data = unwrap(
        await store.suggestions.dismiss(required(id, 'The suggestion’s id'), { reason: required(options['reason'], 'Why (--reason)') }),
      );
      return { data, lines: [`${data.sequence}/${data.step} (${data.kind}) is not suggested again while it rests on the same figures.`] };
    }
    if (action === 'dismissed') {
      const { data } = unwrap(await store.suggestions.dismissed());
      const lines = data.map((one) => `${one.dismissed_at}  ${one.sequence}/${one.step}  ${one.kind}  ${one.dismissed_by}: ${one.reason}`);
      return { data, lines: lines.length === 0 ? ['Nobody has dismissed a suggestion.'] : lines };
    }
    if (action !== undefined && action !== 'show') throw new UsageError('Say show, draft, approve, dismiss or dismissed, or nothing for the list.');
    const { data } = unwrap(await store.suggestions.list());
    if (action === 'show') {
      const one = data.find((suggestion) => suggestion.id === required(id, 'The suggestion’s id'));
      if (one === undefined) throw new NotPossibleError(`Nothing with the id ${id} is suggested.`);
      return { data: one, lines: one.draft.trimEnd().split('\n') };
    }
    const lines = data.map(
      ({ id: own, sequence, step, change, evidence: { left, n, advice } }) =>
        `${own}  ${sequence}/${step}  ${change} ${left === null ? '' : `${left} of ${n} left behind it. `}${advice}`,
    );
    return {
      data,
      lines: lines.length === 0 ? ['Nothing is suggested: no figures are clear enough, or all sequences compare something already.'] : lines,
    };
  },
};
