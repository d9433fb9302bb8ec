import type { FuzzedShop } from './fuzzed-shop.ts';

/**
 * What schemathesis is told about a shop, as TOML. Half of the ids and tokens exist: what is random reaches no further than 404.
 * @param patient - on a machine of any speed: an answer may take long, and "not now" (503) is one
 */
export function configOf({ apiKey, enrollments, tokens, connections }: FuzzedShop, { patient }: { patient: boolean }): string {
  return `
headers = { Authorization = ${JSON.stringify(`Bearer ${apiKey}`)} }
request-timeout = ${patient ? 300 : 10}
continue-on-failure = true

[dictionaries]
enrollments = { values = ${JSON.stringify(enrollments)} }
tokens = { values = ${JSON.stringify(tokens)} }
integrations = { values = ${JSON.stringify(Object.keys(connections))} }
connections = { values = ${JSON.stringify(Object.values(connections).map(({ id }) => id))} }

[parameters]
"path.id" = { dictionary = "enrollments", probability = 0.5 }
"path.token" = { dictionary = "tokens", probability = 0.5 }
"path.integration" = { dictionary = "integrations", probability = 0.8 }
"path.connection" = { dictionary = "connections", probability = 0.8 }

[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx"${patient ? ', "503"' : ''}]

[checks.negative_data_rejection]
# 412: an If-Match that is none cannot be what is stored. 431: what is too long may be too long for any head.
expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "412", "413", "415", "422", "428", "429", "431", "5xx"]
`;
}
