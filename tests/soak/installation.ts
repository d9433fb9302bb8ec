import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withProvisioning } from '../../local/provisioning.ts';
import { ownPostgres } from '../chaos/own-postgres.ts';
import { ownTemporal } from '../chaos/own-temporal.ts';
import { type FarEndFault, type Fault, productProcesses } from './faults.ts';
import { stablePorts } from './ports.ts';
import { type Life, supervise, type SupervisedProcess } from './product-process.ts';
import type { RunClock } from './run-clock.ts';
import { type LeadAccess, leadLine, leadPace, senderOf, type Store, type StoreAccess } from './stores.ts';

/** Everything that runs in production, as real processes: two APIs, two workers, Temporal with its file, Postgres with durable settings; three stores. */
export interface Installation {
  databaseUrl: string;
  temporalAddress: string;
  access: Record<Store, StoreAccess>;
  leads: LeadAccess;
  apiPorts: number[];
  /** Of each product process, in the order of their starts. */
  lives(): Life[];
  /** Every product process serves. */
  ready(): Promise<void>;
  /** Do it and undo it. The far ends are not the installation's matter. @returns false where the process did not serve, and was left alone */
  strike(fault: Exclude<Fault, FarEndFault>): Promise<boolean>;
  /** Of the product's processes, one file each. */
  logDir: string;
  /** End the product's processes in good order; servers stay. */
  endProcesses(): Promise<void>;
  /** End everything. @param keepLogs - the folder of the run stays */
  close(keepLogs: boolean): Promise<void>;
}

export async function openInstallation(options: {
  /** Run `dist/`, as production does; else the sources. */
  built: boolean;
  smtpUrl: string;
  /** Of the providers of texts and calls. */
  providersUrl: string;
  timeScale: number;
  clock: RunClock;
  log: (line: string) => void;
}): Promise<Installation> {
  const { clock, log } = options;
  const dir = mkdtempSync(join(tmpdir(), 'rekindle-soak-'));
  const logDir = join(dir, 'logs');
  mkdirSync(logDir);
  const [postgresPort = 0, temporalPort = 0, ...apiPorts] = await stablePorts(4);
  const temporal = await ownTemporal({ port: temporalPort, durable: true, log });
  const [postgres] = await Promise.all([ownPostgres({ durable: true, within: dir, port: postgresPort }), temporal.start()]);
  const servers = { postgres, temporal };
  const databaseUrl = postgres.url;
  const masterKey = randomBytes(32).toString('base64');
  const publicUrl = `http://127.0.0.1:${apiPorts[0]}`;
  const { access, leads } = await withProvisioning({ databaseUrl, masterKey, apiUrl: publicUrl }, async ({ provision, connect }) => {
    const open = async (store: Store): Promise<StoreAccess> => {
      const settings = {
        quietHours: null,
        legalHours: false,
        consentLaw: 'off' as const,
        catchUpPerMinute: null,
        caps: [],
        senderAddress: senderOf(store),
      };
      const timeScale = options.timeScale * (store === 'leads' ? leadPace : 1);
      const wish = { slug: `soak-${store}`, name: `Soak Store (${store})`, timeScale, synthetic: false, settings };
      const { tenantId, apiKey, webhooks } = await provision({ ...wish, renewApiKey: false });
      return { tenantId, apiKey: apiKey ?? '', webhooks };
    };
    const access = { own: await open('own'), shopify: await open('shopify'), leads: await open('leads') };
    const ofLeads = (integration: string, config: object) =>
      connect(access.leads.tenantId, { integration, name: `Soak Store (${integration})`, config, secrets: [] });
    const { providersUrl: baseUrl } = options;
    const { accountSid, authToken, from, callKey: apiKey } = leadLine;
    const texts = await ofLeads('twilio', { accountSid, authToken, from, baseUrl });
    const calls = await ofLeads('vapi', { apiKey, assistantId: 'assistant', phoneNumberId: 'number', baseUrl });
    const tracker = await ofLeads('keitaro', {});
    const leads: LeadAccess = {
      texts: { url: `${publicUrl}${texts.path}`, path: texts.path, authToken },
      calls: { path: calls.path, secret: calls.secret ?? '' },
      tracker: { path: tracker.path },
    };
    return { access, leads };
  });

  const shared = {
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporal.address,
    REKINDLE_MASTER_KEY: masterKey,
    SMTP_URL: options.smtpUrl,
    PUBLIC_URL: publicUrl,
    HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
    NODE_ENV: 'test',
  };
  const processes = productProcesses.map((name, index) =>
    supervise(name, {
      env: { ...shared, ...(name.startsWith('api') ? { PORT: String(apiPorts[index]) } : {}) },
      logFile: join(logDir, `${name}.log`),
      built: options.built,
      clock,
    }),
  );
  const processCalled = (name: string): SupervisedProcess => {
    const found = processes.find((p) => p.name === name);
    if (found === undefined) throw new Error(`no process is called ${name}`);
    return found;
  };

  /** What was struck down is brought up until it stays: after a kill its port may be held for a moment. */
  async function bringBack(what: 'postgres' | 'temporal'): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await servers[what].start();
      } catch (error) {
        if (attempt === 20) throw error;
        await sleep(500);
      }
    }
  }

  const endProcesses = async () => void (await Promise.all(processes.map((p) => p.stop())));

  return {
    databaseUrl,
    temporalAddress: temporal.address,
    access,
    leads,
    apiPorts,
    lives: () => processes.flatMap((p) => p.lives),
    ready: async () => void (await Promise.all(processes.map((p) => p.ready()))),
    logDir,
    async strike(fault) {
      if (fault.what === 'postgres' || fault.what === 'temporal') {
        if (fault.what === 'temporal') temporal.kill();
        else await postgres.crash(fault.kind === 'immediate' ? 'immediate' : 'parent');
        await sleep(fault.forMs);
        await bringBack(fault.what);
        return true;
      }
      if (fault.kind === 'pause') return processCalled(fault.what).pause(fault.forMs);
      if (fault.kind === 'end') return processCalled(fault.what).end(fault.forMs);
      return processCalled(fault.what).kill(fault.forMs);
    },
    endProcesses,
    async close(keepLogs) {
      await endProcesses();
      await Promise.all([temporal.remove(), postgres.remove()]);
      if (!keepLogs) rmSync(dir, { recursive: true, force: true });
    },
  };
}
