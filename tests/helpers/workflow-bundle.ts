import { relative, resolve } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';

const silent = () => {};

/** What webpack put into a workflow bundle. */
export interface BundleContents {
  /** Bytes of the bundle. */
  size: number;
  /** Our own modules, relative to the project, e.g. `workflows/recovery.ts`. */
  own: string[];
  /** Packages, e.g. `@temporalio/workflow`. */
  packages: string[];
  /** Modules of any other kind: externals, ignored ones. */
  others: string[];
}

/**
 * Bundle workflows exactly as a worker does, and look inside.
 * @param workflowsPath - the bundle's entry file
 * @throws when the bundler refuses: a missing file, or a built-in module of Node
 */
export async function bundleContents(projectDir: string, workflowsPath: string): Promise<BundleContents> {
  const own = new Set<string>();
  const packages = new Set<string>();
  const others = new Set<string>();
  const sort = (path: string | null, identifier: string) => {
    const inPackage = path?.replaceAll('\\', '/').match(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1];
    if (inPackage !== undefined) packages.add(inPackage);
    else if (path !== null && path !== undefined) own.add(relative(projectDir, path).replaceAll('\\', '/'));
    else others.add(identifier);
  };
  const { code } = await bundleWorkflowCode({
    workflowsPath: resolve(projectDir, workflowsPath),
    logger: { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent },
    webpackConfigHook: (config) => ({
      ...config,
      plugins: [
        ...(config.plugins ?? []),
        {
          apply: (compiler) => {
            compiler.hooks.done.tap('contents', ({ compilation }) => {
              for (const module of compilation.modules) sort(module.nameForCondition(), module.identifier());
            });
          },
        },
      ],
    }),
  });
  return { size: code.length, own: [...own], packages: [...packages], others: [...others] };
}
