import { readEnv } from '../../config/env.ts';
import { startWorker } from '../../worker/start-worker.ts';
import { nullSender } from '../five-mails.ts';
import { openDeps } from '../shop.ts';

// worker/main.ts but for its provider, which takes everything at once: what is measured is ours, not a mail server's.
const env = readEnv();
const deps = openDeps(env.DATABASE_URL, env.REKINDLE_MASTER_KEY, { defaultSenders: [nullSender] });
const worker = await startWorker(deps, {
  address: env.TEMPORAL_ADDRESS,
  namespace: env.TEMPORAL_NAMESPACE,
  apiKey: env.TEMPORAL_API_KEY,
  tls: env.TEMPORAL_TLS,
});
process.on('SIGTERM', () => void worker.stop().then(() => process.exit(0)));
process.send?.('ready');
