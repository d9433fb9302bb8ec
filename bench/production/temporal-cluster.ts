import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { localDir } from '../../local/local-files.ts';
import { StartError } from '../../local/start-error.ts';
import { findTemporal, temporalWays } from '../../local/temporal-binary.ts';
import { freeServicePorts } from './node-ports.ts';
import { Part } from './part.ts';
import { layOutNodes, serverConfig, type ServerConfigOptions, type TemporalNode, type TemporalService, temporalServices } from './server-config.ts';
import type { ServerPrograms } from './server-programs.ts';

const deployed = (file: string) => fileURLToPath(new URL(`../../deploy/temporal/${file}`, import.meta.url));

export interface TemporalCluster {
  /** Of the frontend. */
  address: string;
  namespace: string;
  nodes: Part[];
  /** Of the services without which no workflow goes on, a node each: history owns shards, matching task queues, the frontend is the way in. */
  oneOfEach: Part[];
  /** Whether the frontend knows the namespace. */
  answers(): Promise<boolean>;
  stop(): Promise<void>;
}

/** Schema, nodes, namespace: the scripts of deploy/temporal with the official programs, as docker-compose.yml runs them. */
export async function startTemporalCluster(options: {
  dir: string;
  programs: ServerPrograms;
  postgres: ServerConfigOptions['postgres'];
  shards: number;
  split: boolean;
  log: (line: string) => void;
}): Promise<TemporalCluster> {
  const { dir, programs, postgres, shards, split, log } = options;
  mkdirSync(dir, { recursive: true });
  const cli = await findTemporal(temporalWays({ projectBinDir: join(localDir, 'bin'), log }), () => {});
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  symlinkSync(programs.sqlTool, join(bin, 'temporal-sql-tool'));
  symlinkSync(cli.path, join(bin, 'temporal'));
  const namespace = 'default';
  const nodes = await nameNodes(split);
  const address = `127.0.0.1:${nodes.find((node) => node.services.includes('frontend'))?.ports.frontend.grpc}`;
  const runScript = (file: string, env: Record<string, string>) =>
    run(deployed(file), { ...env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` });

  log('Temporal: schema …');
  await runScript('set-up-schema.sh', {
    SQL_PLUGIN: 'postgres12',
    SQL_HOST: postgres.host,
    SQL_PORT: String(postgres.port),
    SQL_USER: postgres.user,
    SQL_PASSWORD: postgres.password,
  });
  const parts = nodes.map((node) =>
    nodePart(node, dir, programs.server, serverConfig(node, { postgres, shards, dynamicConfigFile: deployed('dynamic-config.yaml') })),
  );
  log(`Temporal: ${parts.map((part) => part.name).join(', ')}; ${shards} history shards …`);
  // One after the other: nodes that meet empty databases together fight over the cluster's first record, and the losers end.
  for (const part of parts) await part.start();
  const namespaceMade = runScript('set-up-namespace.sh', { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace });
  // A node that ends now would leave the script asking for two minutes.
  await Promise.race([namespaceMade, ...parts.map((part) => part.failsWhenItEnds())]);
  return {
    address,
    namespace,
    nodes: parts,
    oneOfEach: parts.filter((_, index) => isFirstOfItsService(nodes, index)),
    answers: () => knowsNamespace(address, namespace),
    async stop() {
      await Promise.all(parts.map((part) => part.stop()));
    },
  };
}

/** The server's own worker carries no workflow of ours. */
function isFirstOfItsService(nodes: TemporalNode[], index: number): boolean {
  const service = nodes[index]?.services[0];
  return service !== 'worker' && nodes.findIndex((node) => node.services[0] === service) === index;
}

async function nameNodes(split: boolean): Promise<TemporalNode[]> {
  const nodes: TemporalNode[] = [];
  for (const node of layOutNodes(split)) {
    const ports = {
      frontend: await freeServicePorts(),
      history: await freeServicePorts(),
      matching: await freeServicePorts(),
      worker: await freeServicePorts(),
    };
    nodes.push({ ...node, ports });
  }
  return nodes;
}

function nodePart(node: TemporalNode, dir: string, server: string, config: string): Part {
  const configFile = join(dir, `${node.name}.yaml`);
  writeFileSync(configFile, config, { mode: 0o600 });
  const services =
    node.services.length === temporalServices.length ? [] : node.services.flatMap((service: TemporalService) => ['--service', service]);
  return new Part({
    name: node.name,
    kind: 'temporal',
    command: server,
    args: ['--config-file', configFile, '--allow-no-auth', 'start', ...services],
    env: {},
    logFile: join(dir, `${node.name}.log`),
    isReady: () => listens(node.ports[node.services[0] ?? 'frontend'].grpc),
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function knowsNamespace(address: string, namespace: string): Promise<boolean> {
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect({ address, connectTimeout: '2 seconds' });
    const { workflowService } = connection;
    await connection.withDeadline(Date.now() + 2_000, () => workflowService.describeNamespace({ namespace }));
    return true;
  } catch {
    return false;
  } finally {
    await connection?.close();
  }
}

function run(script: string, env: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('/bin/sh', [script], { env: { ...process.env, ...env }, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new StartError(`${script} failed: ${`${stdout}\n${stderr}`.trim().slice(-2_000)}`));
    });
  });
}
