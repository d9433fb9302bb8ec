import { serve } from '../api/serve.ts';

// The API with one transaction for each delivery, as many at once as there are connections: what sets are compared with.
await serve({ sets: { atOnce: 20, most: 1 } });
