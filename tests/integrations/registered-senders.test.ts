import { describeRegistered } from './provider-conformance.ts';

await describeRegistered('sender', new URL('./', import.meta.url));
