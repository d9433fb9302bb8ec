/** The root of the checkout. */
export const projectRoot: string;

export interface Platform {
  /** As in `process.platform`. */
  os: string;
  /** As in `process.arch`. */
  arch: string;
  libc: 'gnu' | 'musl' | null;
}

/** What to tell the user of an unsupported Node; null: it will do. Understands `^major.minor` and `>=major`, joined by `||`. */
export function nodeVersionProblem(version: string, engines: string): string | null;

/** Whether node_modules belongs to this lock file, and the hash that it should carry. */
export function installState(root: string): { state: 'fresh' | 'stale' | 'missing'; wanted: string };

/** Of a package's optional dependencies those that hold this platform's binaries, by their names. */
export function platformPackages(optionalDependencies: Record<string, string>, platform: Platform): string[];

/** `name@range` of every binary that an installed package wants here and that is not there. @param packages - of `.package-lock.json` */
export function missingBinaries(
  packages: Record<string, { optionalDependencies?: Record<string, string>; optional?: boolean }>,
  platform: Platform,
  isInstalled: (path: string) => boolean,
): string[];

/** Whether the lock file was made for these dependencies; then an installation leaves it as it is committed. */
export function lockFits(packageJson: object, packageLock: object): boolean;

/** Install dependencies where they are missing or stale. Throws with a line for the user when npm fails. */
export function ensureInstalled(root?: string, say?: (line: string) => void): Promise<void>;
