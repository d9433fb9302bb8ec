const longest = 200;

/**
 * What a provider said about a message, for a record that holds no personal data: providers repeat the address that they refuse. Cut to 200 characters.
 * @returns e.g. `550 5.1.1 <(address)>: user unknown`
 */
export function withoutAddresses(response: string): string {
  return response
    .replaceAll(/[^\s<>"'(),:;]+@[^\s<>"'(),:;]+/g, '(address)')
    .replaceAll(/\+?\d(?:[ .()-]{0,2}\d){6,}/g, '(number)')
    .slice(0, longest);
}
