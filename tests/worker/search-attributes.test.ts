import { pino } from 'pino';
import { expect, test } from 'vitest';
import { prepareSearchAttributes, SearchAttributesMissingError } from '../../temporal/prepare-namespace.ts';
import { newNamespace } from '../helpers/new-namespace.ts';
import { until } from '../helpers/shop.ts';

const keyword = 2;
const log = pino({ level: 'silent' });

test('a namespace without the search attributes gets them, once, however many workers start', async () => {
  const { client, names } = await newNamespace();
  await Promise.all([1, 2, 3].map(() => prepareSearchAttributes(client, log)));
  await until('the attributes to be listed', async () => (await names())?.includes('StopReason'), 30_000);
  await prepareSearchAttributes(client, log);
  expect(await names()).toEqual(expect.arrayContaining(['Sequence', 'StopReason', 'Subject', 'SubjectKind', 'Tenant']));
});

test('where the server refuses to register them, the error names what is missing and the command that helps', async () => {
  const { namespace, client, names } = await newNamespace();
  // SQL visibility has room for ten Keyword attributes; another application has taken eight.
  const taken = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`Other${i}`, keyword]));
  await client.connection.operatorService.addSearchAttributes({ namespace, searchAttributes: taken });
  await until('the others to be listed', async () => (await names())?.includes('Other7'), 30_000);
  const error: unknown = await prepareSearchAttributes(client, log).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(SearchAttributesMissingError);
  expect(String(error)).toMatch(/lacks the search attributes .*Tenant.*temporal operator search-attribute create .*--name Tenant --type Keyword/s);
});
