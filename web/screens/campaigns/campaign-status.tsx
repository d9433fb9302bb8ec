import type { Item } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';

export function CampaignStatus({ of: { status } }: { of: Pick<Item<'GET /api/campaigns'>, 'status'> }) {
  if (status === 'ACTIVE') return <Badge tone="good">active</Badge>;
  return status === 'PAUSED' ? <Badge tone="warn">paused</Badge> : <Badge>ended</Badge>;
}
