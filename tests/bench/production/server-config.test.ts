import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { statementsOf } from '../../../bench/production/databases.ts';
import { freeServicePorts } from '../../../bench/production/node-ports.ts';
import { layOutNodes, serverConfig, type TemporalNode, temporalServices } from '../../../bench/production/server-config.ts';
import { temporalServerVersion } from '../../../bench/production/server-programs.ts';

const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

const store = z.object({
  sql: z.object({ pluginName: z.string(), databaseName: z.string(), connectAddr: z.string(), user: z.string(), maxConns: z.number() }),
});
const configFile = z.object({
  persistence: z.object({
    numHistoryShards: z.number(),
    defaultStore: z.string(),
    visibilityStore: z.string(),
    datastores: z.record(z.string(), store),
  }),
  services: z.record(z.string(), z.object({ rpc: z.object({ grpcPort: z.number(), membershipPort: z.number(), bindOnLocalHost: z.literal(true) }) })),
  dynamicConfigClient: z.object({ filepath: z.string() }),
});

function aNode(services: TemporalNode['services'] = temporalServices): TemporalNode {
  const ports = (first: number) => ({ grpc: first, membership: first + 1 });
  return { name: 'a-node', services, ports: { frontend: ports(7_000), history: ports(7_010), matching: ports(7_020), worker: ports(7_030) } };
}
const dynamicConfigFile = fileURLToPath(new URL('../../../deploy/temporal/dynamic-config.yaml', import.meta.url));
const options = { postgres: { host: '127.0.0.1', port: 5_432, user: 'temporal', password: 'a: "b" #c' }, shards: 16, dynamicConfigFile };
const configOf = (node: TemporalNode) => configFile.parse(parse(serverConfig(node, options)));

test('server, tools, images and the server inside the CLI are of one exact version', () => {
  for (const module of ['bench/production/temporal/go.mod', 'local/temporal/go.mod']) {
    expect(/\sgo[.]temporal[.]io\/server v(\S+)/.exec(read(module))?.[1]).toBe(temporalServerVersion);
  }
  const compose = read('docker-compose.yml');
  expect(compose.match(/temporalio\/(server|admin-tools):[\d.]+/g)?.toSorted()).toEqual([
    `temporalio/admin-tools:${temporalServerVersion}`,
    `temporalio/server:${temporalServerVersion}`,
  ]);
});

test('a node names the databases whose schema is set up, as the login that owns them', () => {
  const { persistence } = configOf(aNode());
  const { datastores, defaultStore, visibilityStore } = persistence;
  const setUp = [...read('deploy/temporal/set-up-schema.sh').matchAll(/^set_up (\w+) /gm)].map((found) => found[1]);
  expect([datastores[defaultStore], datastores[visibilityStore]].map((found) => found?.sql.databaseName)).toEqual(setUp);
  const statements = statementsOf(read('deploy/postgres/create-databases.sh'), { owner: 'o', app: 'a', temporal: 't' });
  for (const { sql } of Object.values(datastores)) {
    expect(statements).toContain(`create database ${sql.databaseName} owner ${sql.user}`);
    expect(read('docker-compose.yml')).toContain(`SQL_PLUGIN: ${sql.pluginName}`);
  }
});

test('a password with anything in it survives the YAML', () => {
  expect(serverConfig(aNode(), options)).not.toContain(`password: ${options.postgres.password}\n`);
  expect(JSON.stringify(parse(serverConfig(aNode(), options)))).toContain(JSON.stringify(options.postgres.password));
});

test('a node names the ports of all four services, all different, and the dynamic configuration of production', () => {
  const { services, dynamicConfigClient } = configOf(aNode(['history']));
  expect(Object.keys(services).toSorted()).toEqual([...temporalServices].toSorted());
  const ports = Object.values(services).flatMap(({ rpc }) => [rpc.grpcPort, rpc.membershipPort]);
  expect(new Set(ports).size).toBe(8);
  expect(existsSync(dynamicConfigClient.filepath)).toBe(true);
});

test('split, every service runs, history twice, and the pools of all nodes fit into the 200 connections of the local Postgres', () => {
  const nodes = layOutNodes(true);
  expect(nodes.flatMap((node) => node.services).toSorted()).toEqual([...temporalServices, 'history'].toSorted());
  expect(new Set(nodes.map((node) => node.name)).size).toBe(nodes.length);
  for (const layout of [layOutNodes(false), nodes]) {
    const perService = Object.values(configOf(aNode()).persistence.datastores).reduce((sum, { sql }) => sum + sql.maxConns, 0);
    expect(layout.flatMap((node) => node.services).length * perService).toBeLessThan(200);
  }
});

test('membership ports fit into the smallint that Postgres keeps them in', async () => {
  const found = await Promise.all(Array.from({ length: 50 }, freeServicePorts));
  const ports = found.flatMap(({ grpc, membership }) => [grpc, membership]);
  expect(Math.max(...ports)).toBeLessThanOrEqual(32_767);
  expect(new Set(ports).size).toBe(ports.length);
});

test('the statements of the set-up script are whole, filled in and free of psql', () => {
  const statements = statementsOf(read('deploy/postgres/create-databases.sh'), { owner: "it's", app: 'a', temporal: 't' });
  expect(statements).toContain("create role rekindle_owner login createrole password 'it''s'");
  expect(statements.filter((statement) => /:'|^--|\$|\\/.test(statement))).toEqual([]);
  expect(() => statementsOf("<<'SQL'\nalter role x password :'other';\nSQL\n", { owner: '', app: '', temporal: '' })).toThrow(/other/);
});
