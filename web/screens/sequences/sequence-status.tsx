import type { Item } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';

export function SequenceStatus({ of: { status, paused } }: { of: Pick<Item<'GET /api/sequences'>, 'status' | 'paused'> }) {
  if (paused) return <Badge tone="warn">paused</Badge>;
  if (status === 'ACTIVE') return <Badge tone="good">active</Badge>;
  return <Badge>{status.toLowerCase()}</Badge>;
}
