import { describeRegistered } from './provider-conformance.ts';

await describeRegistered('receiver', new URL('./', import.meta.url));
