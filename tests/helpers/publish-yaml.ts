import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import type { Shop } from './shop.ts';

const email = (kind: string) => `---\nsubject: Hello\npreheader: It waits\nheading: Hello\ncta: Go on\n---\nHello.\n\n[${kind}]\n`;
const sms = (kind: string) => `{{ store.name }}: {{ ${kind}.url }} {{ optOut }}`;

/** Publish a sequence in the shop, with the same plain text for every content that it names. @returns its version */
export async function publishYaml(shop: Shop, yaml: string): Promise<number> {
  const kind = (/^about: (\w+)/m.exec(yaml) ?? /^on: (\w+)/m.exec(yaml))?.[1] ?? 'cart';
  const copy = Object.fromEntries(
    [...yaml.matchAll(/\b[a-z0-9-]+(?:\/[a-z0-9_-]+)+\b/g)].flatMap(([name]) => [
      [name, { file: `${name}.liquid`, text: email(kind) }],
      [`${name}.sms`, { file: `${name}.sms.liquid`, text: sms(kind) }],
    ]),
  );
  return publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: 'sequence.yaml', yaml, copy }));
}
