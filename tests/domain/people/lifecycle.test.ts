import { describe, expect, test } from 'vitest';
import {
  type Lifecycle,
  type LifecycleChange,
  lifecycleAfter,
  lifecycleChanges,
  lifecycles,
  unitedLifecycle,
} from '../../../domain/people/lifecycle.ts';

// docs/rules.md#rule-13. Every pair stands here once; a new lifecycle or change does not compile without its row.
const table: Record<LifecycleChange, Record<Lifecycle, Lifecycle>> = {
  begun: {
    NEW: 'IN_PROGRESS',
    IN_PROGRESS: 'IN_PROGRESS',
    CONTACTED: 'CONTACTED',
    CONVERTED: 'CONVERTED',
    REJECTED: 'REJECTED',
    DO_NOT_CONTACT: 'DO_NOT_CONTACT',
  },
  contacted: {
    NEW: 'CONTACTED',
    IN_PROGRESS: 'CONTACTED',
    CONTACTED: 'CONTACTED',
    CONVERTED: 'CONVERTED',
    REJECTED: 'REJECTED',
    DO_NOT_CONTACT: 'DO_NOT_CONTACT',
  },
  bought: {
    NEW: 'CONVERTED',
    IN_PROGRESS: 'CONVERTED',
    CONTACTED: 'CONVERTED',
    CONVERTED: 'CONVERTED',
    REJECTED: 'REJECTED',
    DO_NOT_CONTACT: 'DO_NOT_CONTACT',
  },
  sale: {
    NEW: 'CONVERTED',
    IN_PROGRESS: 'CONVERTED',
    CONTACTED: 'CONVERTED',
    CONVERTED: 'CONVERTED',
    REJECTED: 'CONVERTED',
    DO_NOT_CONTACT: 'DO_NOT_CONTACT',
  },
  reject: {
    NEW: 'REJECTED',
    IN_PROGRESS: 'REJECTED',
    CONTACTED: 'REJECTED',
    CONVERTED: 'REJECTED',
    REJECTED: 'REJECTED',
    DO_NOT_CONTACT: 'DO_NOT_CONTACT',
  },
  closed: {
    NEW: 'DO_NOT_CONTACT',
    IN_PROGRESS: 'DO_NOT_CONTACT',
    CONTACTED: 'DO_NOT_CONTACT',
    CONVERTED: 'DO_NOT_CONTACT',
    REJECTED: 'DO_NOT_CONTACT',
    DO_NOT_CONTACT: 'DO_NOT_CONTACT',
  },
};

describe.each(lifecycleChanges)('%s', (change) => {
  test.each(lifecycles)('from %s', (now) => {
    expect(lifecycleAfter(now, change)).toBe(table[change][now]);
  });
});

test('of several contacts that are one person, what closes the most stays', () => {
  for (const one of lifecycles) {
    expect(unitedLifecycle([one, 'DO_NOT_CONTACT'])).toBe('DO_NOT_CONTACT');
    expect(unitedLifecycle(['NEW', one])).toBe(one);
  }
  expect(unitedLifecycle(['CONVERTED', 'REJECTED', 'CONTACTED'])).toBe('REJECTED');
});
