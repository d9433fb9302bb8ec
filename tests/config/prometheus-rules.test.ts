import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { createPrometheus } from '../../config/telemetry.ts';
import { alarmKinds } from '../../domain/alarms/decide-alarm.ts';

interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; runbook: string };
}

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const { groups } = parse(read('deploy/prometheus/rekindle.rules.yml')) as { groups: { name: string; rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const sections = [...read('docs/runbooks.md').matchAll(/^## (\S+)$/gm)].map(([, name]) => name);

test('every alert is about figures that exist, with their labels', async () => {
  const { registry } = createPrometheus();
  const known = new Map((await registry.getMetricsAsJSON()).map(({ name, type }) => [name, type]));
  for (const { alert, expr } of rules) {
    const used = [...expr.matchAll(/\b(rekindle_\w+)/g)].map(([, name]) => name ?? '');
    expect(used.length, alert).toBeGreaterThan(0);
    for (const name of used) {
      const isBucket = name.endsWith('_bucket');
      const of = isBucket ? name.slice(0, -'_bucket'.length) : name;
      expect(isBucket ? ['histogram'] : ['counter', 'gauge'], `${alert}: ${name}`).toContain(known.get(of));
    }
    // What is open is closed again.
    const count = (of: string) => expr.split(of).length;
    expect([count('('), count('['), count('{')], alert).toEqual([count(')'), count(']'), count('}')]);
  }
});

test('every alert has a name of its own, a severity, a sentence and a runbook', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const rule of rules) {
    expect(Object.keys(rule).toSorted(), rule.alert).toEqual(expect.arrayContaining(['alert', 'annotations', 'expr', 'labels']));
    expect(rule.alert).toMatch(/^Rekindle[A-Z]\w+$/);
    expect(rule.for ?? '1m').toMatch(/^\d+m$/);
    expect(['page', 'ticket']).toContain(rule.labels.severity);
    expect(rule.annotations.summary).toMatch(/^[A-Z].*\.$/);
    const [file, section] = rule.annotations.runbook.split('#');
    expect(file).toBe('docs/runbooks.md');
    expect(sections, rule.alert).toContain(section);
  }
});

test('every alarm of a store has a runbook', () => {
  for (const kind of alarmKinds) expect(sections).toContain(kind);
});
