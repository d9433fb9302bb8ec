import { EnvError } from '../config/env.ts';
import { serve } from './serve.ts';

serve().catch((error: unknown) => {
  const known = error instanceof EnvError || (error instanceof Error && 'code' in error && typeof error.code === 'string');
  process.stderr.write(`${error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error)}\n`);
  process.exit(1);
});
