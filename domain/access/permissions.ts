/** What somebody may do with a store. Each stands for itself: none contains another. */
export const permissions = [
  /** See everything but secrets. */
  'read',
  /** Act for single people: tasks, takeovers, stops, starts by hand, consents. */
  'operate',
  /** Change what is sent to many: sequences, texts, campaigns, offers, facts, imports. */
  'edit',
  /** Change how the store works: connections, settings, erasures, deliveries that could not be read. */
  'administer',
  /** Let others in: members and API keys. */
  'own',
] as const;
export type Permission = (typeof permissions)[number];

/** What people are in a store, from the least to the most. An agent works with people and changes nothing that is sent to many. */
export const roles = {
  viewer: ['read'],
  agent: ['read', 'operate'],
  editor: ['read', 'operate', 'edit'],
  admin: ['read', 'operate', 'edit', 'administer'],
  owner: [...permissions],
} as const satisfies Record<string, readonly Permission[]>;

export type Role = keyof typeof roles;
export const roleNames = Object.keys(roles) as [Role, ...Role[]];

export const may = (role: Role, permission: Permission): boolean => (roles[role] as readonly Permission[]).includes(permission);

/** The least of the roles that may. */
export function leastRoleFor(permission: Permission): Role {
  const found = roleNames.find((role) => may(role, permission));
  if (found === undefined) throw new Error(`no role may ${permission}`);
  return found;
}
