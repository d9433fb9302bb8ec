/** A rule left out of the product, as a change of its text: the product itself knows no switch. */
export interface Mutant {
  name: string;
  /** What the rule prevents. */
  without: string;
  patches: Patch[];
  /** The violation that must be found. */
  expects: RegExp;
}

/** `from` must stand exactly once in the file. A function of db/functions/ is made anew in the database. */
export interface Patch {
  file: string;
  from: string;
  to: string;
}

const fence = 'operations/dispatch/fence.ts';
const decide = 'operations/dispatch/decide-and-claim.ts';
const accept = 'operations/apply-delivery.ts';

/** Rules of docs/fence.md, each of which has a counterexample in the protocol's model. */
export const mutants: readonly Mutant[] = [
  {
    name: 'stop-does-not-wait',
    without: 'the wait of the stop side for calls that are running',
    patches: [
      {
        file: 'operations/lease-watch.ts',
        from: "if (claims.length === 0) return Promise.resolve('none');",
        to: "if (claims.length >= 0) return Promise.resolve('none');",
      },
    ],
    // Open at the 2xx, or claimed before it and begun after.
    expects: /^G2/,
  },
  {
    name: 'person-not-locked',
    without: "the person's lock of a dispatch",
    patches: [
      {
        file: 'db/functions/lock_step.sql',
        from: 'perform from contacts c where c.id = person for no key update;',
        to: '',
      },
    ],
    expects: /^G2/,
  },
  {
    name: 'settle-not-fenced',
    without: 'the claim that fences a settle',
    patches: [
      {
        file: fence,
        from: 'const mine = and(eq(messages.id, messageId), eq(messages.claim, claim));',
        to: 'const mine = eq(messages.id, messageId);',
      },
    ],
    expects: /^(G1|G2|TRUTH)/,
  },
  {
    name: 'live-takeover',
    without: 'the rule that nobody takes over a live claim before its lease is dead',
    patches: [{ file: decide, from: 'if (claimMs < row.deadLeaseMs) return', to: 'if (claimMs < 0) return' }],
    expects: /^(G1|G2|TRUTH)/,
  },
  {
    name: 'repeat-does-not-wait',
    without: 'the wait of a repeated delivery',
    patches: [
      {
        file: accept,
        from: 'const liveClaims = await readLiveClaims(tx, coveredContactIds);',
        to: 'const liveClaims = await readLiveClaims(tx, coveredContactIds.slice(0, 0));',
      },
    ],
    expects: /^G2/,
  },
  {
    name: 'second-stop-does-not-wait',
    without: 'the wait of a stop that changes nothing any more',
    patches: [
      {
        file: 'operations/intake/apply-events.ts',
        from: 'else this.#claims?.push(...world.claims.filter((claim) => this.#covered.has(claim.contactId)));',
        to: 'else if (world.enrollments.some((one) => one.endedAt === null)) this.#claims?.push(...world.claims.filter((claim) => this.#covered.has(claim.contactId)));',
      },
    ],
    expects: /^G2/,
  },
  {
    name: 'no-doubt',
    without: 'the doubt that an unresolved call leaves on the refusal of its repeat',
    patches: [
      {
        file: fence,
        from: "when in_doubt then 'unknown' else 'failed' end`,\n      ...(counts",
        to: "else 'failed' end`,\n      ...(counts",
      },
    ],
    expects: /^(G1|TRUTH)/,
  },
  {
    name: 'deadline-from-the-call',
    without: 'the absolute deadline: it counts from the call instead',
    patches: [
      {
        file: 'operations/dispatch-step.ts',
        from: 'sendKeyOf(input), deadline, handOver);',
        to: 'sendKeyOf(input), ((t0) => ({ remainingMs: () => claimed.outlet.sender.times.deadlineMs - (performance.now() - t0) }))(performance.now()), handOver);',
      },
    ],
    expects: /^G2: .* open/,
  },
  {
    name: 'no-sweep',
    without: 'the sweep of dead leases',
    patches: [{ file: 'operations/sweep-leases.ts', from: "await deps.db.tenantsWithWork('dead_leases')", to: '[]' }],
    expects: /^STUCK/,
  },
  {
    name: 'own-claim-not-released',
    without: 'the release of a claim whose COMMIT was not acknowledged',
    patches: [{ file: decide, from: 'attempt.uncalled.has(row.claim)', to: 'attempt.uncalled.size < 0' }],
    expects: /^LOST/,
  },
  {
    name: 'unclear-commit-counts',
    without: 'the rule that only an acknowledged COMMIT counts',
    patches: [{ file: 'db/client.ts', from: 'throw new CommitUnclearError(error);', to: 'return;' }],
    expects: /^(G1|G2|G3)/,
  },
  {
    name: 'proof-ends-the-lease',
    without: "the lease's own life: proof of acceptance ends it too",
    patches: [
      {
        file: fence,
        from: ".set({ state: 'sent', settledAt: sql`coalesce(settled_at, clock_timestamp())` })",
        to: ".set({ state: 'sent', live: false, settledAt: sql`coalesce(settled_at, clock_timestamp())` })",
      },
    ],
    expects: /^G2: .* open/,
  },
  {
    name: 'asks-too-early',
    without: 'the time that a provider needs to settle before it is asked',
    patches: [{ file: decide, from: 'if (ages.findInMs > 0) return', to: 'if (ages.findInMs > Infinity) return' }],
    expects: /^(G1|TRUTH)/,
  },
  {
    name: 'another-channels-session',
    without: 'the check that the session which was opened leads to the outlet that the decision chose',
    patches: [
      { file: decide, from: "if (opened.kind === 'none' || opened.outlet !== outlet)", to: "if (opened.kind === 'none')" },
      {
        file: decide,
        from: 'return claimStep(attempt, opened.outlet, reading, { ...said, dueMs, nowMs, hourBy: hourByOf(verdict.checks) });',
        to: 'return claimStep(attempt, attempt.outlets.forChannel(verdict.channel) ?? opened.outlet, reading, { ...said, dueMs, nowMs, hourBy: null });',
      },
    ],
    expects: /^(G1|G2|TRUTH)/,
  },
  {
    name: 'address-under-the-wrong-kind',
    without: 'the kind under which an address is hashed when it is refused for good',
    patches: [
      {
        file: 'operations/dispatch/records.ts',
        from: 'sealing.addressHash(row.tenantId, kind, value);',
        to: "sealing.addressHash(row.tenantId, kind === 'phone' ? 'email' : kind, value);",
      },
    ],
    expects: /^ADDRESS/,
  },
  {
    name: 'refusals-of-all-channels',
    without: 'the next channel after a refusal for good',
    patches: [
      {
        file: 'domain/gates/choose-channel.ts',
        from: "if (reason === null) return { kind: 'chosen', channel, passedOver };",
        to: "if (reason === null) return { kind: 'chosen', channel, passedOver };\n    if (reason === 'refused') break;",
      },
    ],
    expects: /^NEXT/,
  },
  {
    name: 'merge-does-not-wait',
    without: 'the wait of a merge that carries a stop to further enrollments',
    patches: [{ file: 'operations/effects/rules/carry-stops.ts', from: 'draft.coverPersons([personId]);', to: ';' }],
    expects: /^G2: .* open/,
  },
  {
    name: 'reply-covers-nobody',
    without: 'the calls that a reply covers',
    patches: [
      { file: 'operations/effects/message-received.ts', from: 'draft.coverPersons(persons);\n    const { settings }', to: 'const { settings }' },
    ],
    expects: /^G2/,
  },
  {
    name: 'writes-without-ends',
    without: 'the ends among what a decided event writes',
    patches: [
      {
        file: 'operations/intake/writes.ts',
        from: 'ends: c.ends.map((end) => ({\n      id: end.id,\n      event_id',
        to: 'left_out: c.ends.map((end) => ({\n      id: end.id,\n      event_id',
      },
    ],
    expects: /^(G2|LOST|STUCK)/,
  },
  {
    name: 'contacted-never-stops',
    without: 'the line that makes `lead.contacted` a stop',
    patches: [{ file: 'operations/effects/lead-contacted.ts', from: "stops: 'always',", to: "stops: 'never'," }],
    expects: /^(G2|G3)/,
  },
  {
    name: 'contacted-covers-nobody',
    without: 'the calls that `lead.contacted` covers',
    patches: [{ file: 'operations/effects/lead-contacted.ts', from: 'draft.coverPersons(persons);', to: ';' }],
    expects: /^G2: .* open/,
  },
  {
    name: 'lead-never-stops',
    without: 'the declaration that a lead may merge persons, so that its answer waits for the calls of those who had a stop',
    patches: [{ file: 'operations/effects/lead-created.ts', from: "stops: 'when_it_merges',", to: "stops: 'never'," }],
    expects: /^(G2|G3)/,
  },
  {
    name: 'set-does-not-wait',
    without: 'the wait of each stop in a set for its own calls',
    patches: [
      {
        file: accept,
        from: 'applied: await application.applied(lockedAtMs) });',
        to: 'applied: { ...(await application.applied(lockedAtMs)), liveClaims: [] } });',
      },
    ],
    expects: /^G2: .* open/,
  },
  {
    name: 'set-shares-a-person',
    without: 'the rule that two deliveries about the same person are not decided on one world',
    patches: [{ file: accept, from: 'if (opened === null || overlaps(opened))', to: 'if (opened === null)' }],
    expects: /^(G2|G3)/,
  },
  {
    name: 'set-writes-the-first-alone',
    without: 'what the others of a set write',
    patches: [{ file: accept, from: 'writeWorld(tx, joined(writes));', to: 'writeWorld(tx, joined(writes.slice(0, 1)));' }],
    expects: /^(G2|G3)/,
  },
  {
    name: 'set-fails-as-a-whole',
    without: 'the deliveries one by one where a set cannot be applied',
    patches: [
      {
        file: 'operations/intake/delivery-sets.ts',
        from: '.applySet(tenantId, deliveries).catch(() => []))) ?? [];',
        to: '.applySet(tenantId, deliveries))) ?? [];',
      },
      {
        file: 'operations/intake/delivery-sets.ts',
        from: 'const results = set.length === 1 ? [] : await this.#together(tenantId, set);',
        to: `const failure: { error?: unknown } = {};
    const results = set.length === 1 ? [] : await this.#together(tenantId, set).catch((error: unknown) => ((failure.error = error), []));
    if ('error' in failure) {
      for (const { reject } of set) reject(failure.error);
      return;
    }`,
      },
    ],
    expects: /^ANSWER/,
  },
];
