import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The part of package-lock.json that is read here. Source: docs.npmjs.com/cli/v11/configuring-npm/package-lock-json */
export interface LockedPackage {
  version: string;
  /** As its package.json states it, an SPDX expression where it follows the rule. */
  license?: string;
  /** Needed for development alone. */
  dev?: boolean;
  /** Something is faster or prettier with it, and goes on without it. */
  optional?: boolean;
  /** For development, and a companion that a package of the product could make use of, such as a test runner. */
  devOptional?: boolean;
  /** Ranges of versions, by program. */
  engines?: Record<string, string>;
}
export interface Lock {
  lockfileVersion: number;
  /** By the folder that each lies in, such as `node_modules/a/node_modules/b`; '' is ourselves. */
  packages: Record<string, LockedPackage>;
}

/** @throws Error where package-lock.json is missing or no JSON */
export function readLock(): Lock {
  return JSON.parse(readFileSync(resolve(import.meta.dirname, '../package-lock.json'), 'utf8')) as Lock;
}

/** Those that `npm ci --omit=dev --omit=optional` installs: the image and the server's package. Nothing optional is used there; the workflows are bundled. */
export function productionPackages(lock: Lock): Record<string, LockedPackage> {
  return Object.fromEntries(Object.entries(lock.packages).filter(([folder, of]) => folder !== '' && !of.dev && !of.optional && !of.devOptional));
}

/** `node_modules/a/node_modules/@scope/b` is `@scope/b`. */
export function nameOf(folder: string): string {
  return folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
}
