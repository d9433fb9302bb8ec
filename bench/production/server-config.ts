import { stringify } from 'yaml';

/** The four parts of a Temporal cluster; a node runs one of them or all. */
export const temporalServices = ['frontend', 'history', 'matching', 'worker'] as const;
export type TemporalService = (typeof temporalServices)[number];

export interface ServicePorts {
  grpc: number;
  membership: number;
}

/** One process of the server. Ports of services that it does not run are named all the same: the server asks for all four. */
export interface TemporalNode {
  name: string;
  services: readonly TemporalService[];
  ports: Record<TemporalService, ServicePorts>;
}

export interface ServerConfigOptions {
  postgres: { host: string; port: number; user: string; password: string };
  /** Fixed by the first start, for ever. */
  shards: number;
  /** Path of the dynamic configuration that production uses too (deploy/temporal/). */
  dynamicConfigFile: string;
}

/** One process, or the four services apart with two history nodes, each a process of its own. In the order in which they are started. */
export function layOutNodes(split: boolean): Pick<TemporalNode, 'name' | 'services'>[] {
  if (!split) return [{ name: 'temporal', services: temporalServices }];
  return [
    { name: 'history-1', services: ['history'] },
    { name: 'history-2', services: ['history'] },
    { name: 'matching', services: ['matching'] },
    { name: 'frontend', services: ['frontend'] },
    { name: 'system-worker', services: ['worker'] },
  ];
}

/** The server's configuration file for one node, YAML. Holds the password: mode 600. The form: the server's `config/development-postgres12.yaml`. */
export function serverConfig(node: TemporalNode, { postgres, shards, dynamicConfigFile }: ServerConfigOptions): string {
  const database = (databaseName: string, maxConns: number) => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `${postgres.host}:${postgres.port}`,
      connectProtocol: 'tcp',
      user: postgres.user,
      password: postgres.password,
      // Each service of a process has a pool of its own.
      maxConns,
      maxIdleConns: maxConns,
      maxConnLifetime: '1h',
    },
  });
  const rpc = ({ grpc, membership }: ServicePorts) => ({ rpc: { grpcPort: grpc, membershipPort: membership, bindOnLocalHost: true } });
  return stringify({
    log: { stdout: true, level: 'warn' },
    persistence: {
      numHistoryShards: shards,
      defaultStore: 'default',
      visibilityStore: 'visibility',
      datastores: { default: database('temporal', 20), visibility: database('temporal_visibility', 5) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: Object.fromEntries(temporalServices.map((service) => [service, rpc(node.ports[service])])),
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: `127.0.0.1:${node.ports.frontend.grpc}` },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: dynamicConfigFile, pollInterval: '60s' },
  });
}
