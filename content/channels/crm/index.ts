import { z } from 'zod';
import { type CopySource, languageOfCopy } from '../../copy-source.ts';
import { readFrontMatter } from '../../front-matter.ts';
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
  const missing = 'names no workflow: begin with `---`, `workflow: its name at the CRM`, `---`';
  const { fields, body, lineOf } = readFrontMatter(source, frontMatter, missing);
  const language = languageOfCopy(source, lineOf('language'), fields.language, named);
  return { language, workflow: fields.workflow, note: body.trim() };
}

export const crmContent: ChannelContent<'crm', CompiledCrm> = {
  suffix: '.crm',
  compile: async (source, purpose) => compileCrm(source, purpose),
  read: (stored) => compiledCrm.parse(stored),
  compose: ({ workflow }, { contact: { firstName, lastName } }, to) => ({ channel: 'crm', to, firstName, lastName, workflow }),
};
