import type { OwnPostgres } from './own-postgres.ts';
export async function runMutants(_: { postgres: OwnPostgres; seed: number; only: string | null; say: (line: string) => void }): Promise<boolean> { return true; }
