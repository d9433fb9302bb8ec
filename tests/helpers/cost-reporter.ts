import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import { costLines } from './cost-lines.ts';
import { processorSeconds } from './processor-seconds.ts';

/** Says at the very end what a run took of the processors: by then all processes have ended, and are counted. */
// oxlint-disable-next-line import/no-default-export -- a reporter is found so
export default class CostReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules.map((module) => ({ file: relative(process.cwd(), module.moduleId), seconds: module.meta().processorSeconds ?? 0 }));
    process.once('exit', () => {
      const lines = costLines(files, processorSeconds());
      if (lines.length > 0) process.stderr.write(`\n${lines.join('\n')}\n`);
    });
  }
}
