// `node deploy/health.mjs <url>`: ends with 0 when the URL answers 2xx within four seconds. The image has neither curl nor wget.
const [url] = process.argv.slice(2);
if (url === undefined) {
  console.error('usage: node deploy/health.mjs <url>');
  process.exit(2);
}
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(4_000) });
  if (!response.ok) {
    console.error(`${url} answered ${response.status}`);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(`${url} did not answer: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}
