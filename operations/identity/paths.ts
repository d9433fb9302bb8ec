/** Below which Better Auth's own addresses lie. Of these only the way back from the identity provider is open to the outside. */
export const authPath = '/auth';
export const oidcProvider = 'oidc';
export const oidcCallbackPath = `${authPath}/callback/${oidcProvider}`;
/** In which we tell it who connects. */
export const addressHeader = 'x-rekindle-address';

/** Where a browser may come from. On one's own machine the same server has two names. */
export function trustedOrigins(publicUrl: string): string[] {
  const { origin, hostname, port } = new URL(publicUrl);
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return isLoopback ? ['localhost', '127.0.0.1'].map((host) => `http://${host}:${port === '' ? '80' : port}`) : [origin];
}
