import { parseDocument } from 'yaml';
import { z } from 'zod';
import { type CopySource, CopySourceError, languageOfCopy } from '../../copy-source.ts';
import type { ChannelContent, CopyPurpose } from '../channel-content.ts';
import { type CompiledCrm, compiledCrm } from './compiled.ts';

const frontMatter = z.strictObject({
  language: z.string().trim().min(1).optional(),
  /** Its name at the CRM, or its id. */
  workflow: z.string().trim().min(1).max(200),
});

/**
 * Compile one file: YAML front matter that names the workflow, and below it a note for whoever reads the sequence.
 * @throws CopySourceError where it names none
 */
function compileCrm(source: CopySource, { language: named }: CopyPurpose): CompiledCrm {
  const { file, text } = source;
  const [, yaml, body = ''] = /^---\r?\n([\s\S]*?)\r?\n?---[ \t]*(?:\r?\n|$)([\s\S]*)$/.exec(text) ?? [];
  if (yaml === undefined)
    throw new CopySourceError([{ file, line: 1, message: 'names no workflow: begin with `---`, `workflow: its name at the CRM`, `---`' }]);
  const document = parseDocument(yaml);
  const [broken] = document.errors;
  if (broken !== undefined) throw new CopySourceError([{ file, line: 2, message: broken.message.split('\n')[0] ?? '' }]);
  const fields = frontMatter.safeParse(document.toJS() ?? {});
  if (!fields.success)
    throw new CopySourceError(fields.error.issues.map((issue) => ({ file, line: 2, message: `${issue.path.join('.')} ${issue.message}`.trim() })));
  const language = languageOfCopy(source, 2, fields.data.language, named);
  return { language, workflow: fields.data.workflow, note: body.replaceAll('\r', '').trim() };
}

export const crmContent: ChannelContent<'crm', CompiledCrm> = {
  suffix: '.crm',
  compile: async (source, purpose) => compileCrm(source, purpose),
  read: (stored) => compiledCrm.parse(stored),
  compose: ({ workflow }, { contact: { firstName, lastName } }, to) => ({ channel: 'crm', to, firstName, lastName, workflow }),
};
