import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { readEnv } from '../../config/env.ts';
import { searchAttributes } from '../../workflows/contract.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

const service = z.object({
  image: z.string(),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  restart: z.string(),
  healthcheck: z.object({ test: z.array(z.string()).optional(), disable: z.boolean().optional() }).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
});
const file = z.object({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.null()) });

const text = read('docker-compose.yml');
const compose = file.parse(parse(text, { merge: true }));
const services = Object.entries(compose.services);
const dockerfile = read('Dockerfile');

/** `.env.example` as a person would fill it in. */
const filled = Object.fromEntries(
  read('.env.example')
    .split('\n')
    .flatMap((line) => line.match(/^([A-Z_]+)=(.*)$/)?.slice(1, 3) ?? [])
    .flatMap((word, index, words) => (index % 2 === 0 ? [[word, words[index + 1] ?? '']] : [])),
);
const secrets = ['REKINDLE_MASTER_KEY', 'POSTGRES_PASSWORD', 'REKINDLE_OWNER_PASSWORD', 'REKINDLE_PASSWORD', 'TEMPORAL_PASSWORD'];
const withSecrets: Record<string, string> = {
  ...filled,
  ...Object.fromEntries(secrets.map((name) => [name, name === 'REKINDLE_MASTER_KEY' ? Buffer.alloc(32, 7).toString('base64') : 'abc123'])),
};

/** As compose does: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`. */
function interpolate(value: string): string {
  return value.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_all, name: string, kind: string | undefined, rest: string | undefined) => {
    const given = withSecrets[name] ?? '';
    if (given === '' && kind === '?') throw new Error(`${name} ${rest}`);
    return given === '' ? (rest ?? '') : given;
  });
}

function environmentOf(name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(compose.services[name]?.environment ?? {}).map(([key, value]) => [key, interpolate(value)]));
}

/** One-shot: others wait for its end, or it may end well. */
const isOneShot = (restart: string) => restart.startsWith('on-failure');

describe('docker-compose.yml', () => {
  test('every foreign image is pinned to an exact version', () => {
    const foreign = services.map(([, { image }]) => image).filter((image) => !image.includes('REKINDLE_IMAGE'));
    expect(foreign.length).toBeGreaterThan(4);
    expect(foreign.filter((image) => !/^[a-z/-]+:v?\d+\.\d+(\.\d+)?$/.test(image))).toEqual([]);
  });

  test('the Temporal server and the tools that bring its schema are of one version, the one that tests run on', () => {
    const versions = services.flatMap(([, { image }]) => image.match(/^temporalio\/(?:server|admin-tools):(.+)$/)?.[1] ?? []);
    expect(versions).toHaveLength(3);
    expect(new Set(versions).size).toBe(1);
    // The CLI names the server that it embeds in its own go.mod; ours pins the CLI.
    expect(read('local/temporal/go.mod')).toContain(`go.temporal.io/server v${versions[0]}`);
  });

  test.each(services)('%s says whether it is healthy, or ends', (_name, { restart, healthcheck }) => {
    if (isOneShot(restart)) expect(healthcheck?.test).toBeUndefined();
    else {
      expect(restart).toBe('unless-stopped');
      expect(healthcheck?.test?.[0]).toBe('CMD');
    }
  });

  test.each(services)('%s waits for what it needs in the right way', (_name, { depends_on: needs }) => {
    for (const [other, { condition }] of Object.entries(needs)) {
      const needed = compose.services[other];
      expect(needed, other).toBeDefined();
      expect(condition, other).toBe(isOneShot(needed?.restart ?? '') ? 'service_completed_successfully' : 'service_healthy');
    }
  });

  test('data lies in named volumes, and every mounted file exists', () => {
    const mounts = services.flatMap(([, { volumes }]) => volumes.map((volume) => volume.split(':')));
    const named = mounts.flatMap(([source = '']) => (source.startsWith('.') ? [] : [source]));
    expect(named.toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
    expect(named).toContain('postgres-data');
    for (const [source = '', , mode] of mounts.filter(([from]) => from?.startsWith('.'))) {
      expect(existsSync(join(root, source)), source).toBe(true);
      expect(mode, source).toBe('ro');
    }
  });

  test('nothing is published beyond this machine', () => {
    const published = services.flatMap(([, { ports }]) => ports);
    expect(published.length).toBeGreaterThan(2);
    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test('.env.example names every variable, gives no secret, and says how to make the master key', () => {
    const used = new Set([...text.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name));
    expect(Object.keys(filled).toSorted()).toEqual([...used].toSorted());
    expect(secrets.map((name) => filled[name])).toEqual(secrets.map(() => ''));
    expect(read('.env.example')).toContain('openssl rand -base64 32');
  });

  test.each(
    secrets.flatMap((secret) =>
      services.filter(([, { environment }]) => JSON.stringify(environment).includes(`{${secret}`)).map(([name]) => [secret, name]),
    ),
  )('without %s, %s does not start with a hole in it', (secret, name) => {
    const kept = withSecrets[secret] ?? '';
    withSecrets[secret] = '';
    try {
      expect(() => environmentOf(name)).toThrow(`${secret} is missing`);
    } finally {
      withSecrets[secret] = kept;
    }
  });

  test.each(['api', 'worker'])('%s gets an environment that the program accepts', (name) => {
    const env = readEnv(environmentOf(name));
    expect(env).toMatchObject({ NODE_ENV: 'production', TEMPORAL_ADDRESS: 'temporal:7233', REKINDLE_TIME_SCALE: null });
    // Row-level security does not bind the owner of the tables.
    expect(new URL(env.DATABASE_URL).username).toBe('rekindle');
    expect(name === 'worker' ? env.METRICS_PORT : env.PORT).toBe(name === 'worker' ? 9464 : 3000);
  });

  test('health checks ask the ports that the program listens on', () => {
    expect(compose.services['api']?.healthcheck?.test?.at(-1)).toBe(`http://127.0.0.1:${environmentOf('api')['PORT']}/readyz`);
    expect(compose.services['worker']?.healthcheck?.test?.at(-1)).toBe(`http://127.0.0.1:${environmentOf('worker')['METRICS_PORT']}/metrics`);
  });
});

describe('the scripts of deploy/', () => {
  const scripts = ['deploy/postgres/create-databases.sh', 'deploy/temporal/set-up-schema.sh', 'deploy/temporal/set-up-namespace.sh'];

  test.each(scripts)('%s is executable and parses', (script) => {
    // Without the bit, the Postgres image would run it inside its own shell.
    expect(statSync(join(root, script)).mode & 0o111).not.toBe(0);
    const { status, stderr } = spawnSync('sh', ['-n', join(root, script)], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test('registers the search attributes that workflows set', () => {
    const registered = read('deploy/temporal/set-up-namespace.sh')
      .match(/^for name in (.+); do$/m)?.[1]
      ?.split(' ');
    expect(registered?.toSorted()).toEqual(Object.values(searchAttributes).toSorted());
  });

  test('fairness is on, among all that waits for a queue', () => {
    expect(parse(read('deploy/temporal/dynamic-config.yaml'))).toMatchObject({
      'matching.enableFairness': [{ value: true }],
      'matching.numTaskqueueWritePartitions': [{ value: 1 }],
      'matching.numTaskqueueReadPartitions': [{ value: 1 }],
    });
  });
});

describe('Dockerfile', () => {
  /** dist/x.js is compiled from x.ts. */
  const sourceOf = (compiled: string) => compiled.replace(/^dist\/(.*)\.js$/, '$1.ts');
  const programs = [...new Set([...`${dockerfile}\n${text}`.matchAll(/\b(dist\/[\w/-]+\.js)\b/g)].map(([, program = '']) => program))];

  test('starts programs that exist', () => {
    expect(programs.toSorted()).toEqual(['dist/api/server.js', 'dist/db/migrate.js', 'dist/worker/main.js']);
    expect(programs.map(sourceOf).filter((source) => !existsSync(join(root, source)))).toEqual([]);
  });

  test('copies files that exist and are sent to the builder', () => {
    const ignored = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files = '']) => files.split(' '));
    expect(copied).toContain('deploy/health.mjs');
    for (const source of copied) {
      expect(existsSync(join(root, source)), source).toBe(true);
      expect(
        ignored.some((entry) => source === entry || source.startsWith(`${entry}/`)),
        source,
      ).toBe(false);
    }
  });

  test('copies from stages that it has', () => {
    const stages = [...dockerfile.matchAll(/^FROM \S+ AS (\w+)$/gm)].map(([, stage]) => stage);
    const used = [...dockerfile.matchAll(/^COPY --from=(\w+)/gm)].map(([, stage]) => stage);
    expect(new Set(used)).toEqual(new Set(stages));
  });

  test('leaves secrets and local state out, and does not run as root', () => {
    expect(read('.dockerignore').split('\n')).toEqual(expect.arrayContaining(['.env', '.rekindle', '.git', 'node_modules']));
    expect(dockerfile).toMatch(/^USER 1000$/m);
    expect(dockerfile).toMatch(/^HEALTHCHECK /m);
  });

  test('calls npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const called = [...dockerfile.matchAll(/npm run (\w+)/g)].map(([, script]) => script);
    expect(called).toEqual(['build']);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['build']));
  });
});

describe('deploy/health.mjs', () => {
  const check = (...args: string[]) => spawnSync(process.execPath, [join(root, 'deploy/health.mjs'), ...args], { encoding: 'utf8' });

  test('fails when nothing listens there, and names the address', () => {
    const { status, stderr } = check('http://127.0.0.1:9/readyz');
    expect(status).toBe(1);
    expect(stderr).toContain('http://127.0.0.1:9/readyz did not answer');
  });

  test('needs to know whom to ask', () => {
    expect(check().status).toBe(2);
  });

  test.each([
    [200, 0],
    [503, 1],
  ])('%i ends with %i', (answer, expected) => {
    // The server is a process of its own: spawnSync blocks this one.
    const script = `import http from 'node:http';
import { spawn } from 'node:child_process';
const server = http.createServer((request, response) => response.writeHead(${answer}).end()).listen(0, '127.0.0.1', () => {
  const child = spawn(process.execPath, [${JSON.stringify(join(root, 'deploy/health.mjs'))}, 'http://127.0.0.1:' + server.address().port + '/readyz']);
  child.on('exit', (code) => process.exit(code));
});`;
    expect(spawnSync(process.execPath, ['--input-type=module', '--eval', script]).status).toBe(expected);
  });
});
