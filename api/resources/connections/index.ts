import type { Resource } from '../resource.ts';
import { connectionRoutes } from './routes.ts';

export const resource: Resource = {
  tag: { name: 'connections', description: 'A store’s accounts at providers: webhooks in, messages out.' },
  guard: 'tenant',
  changes: 'administer',
  routes: connectionRoutes,
};
