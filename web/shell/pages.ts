/** The pages of a store, in the order of the menu. */
export const pages = [
  { to: '/$store', name: 'Today', icon: 'today', needs: 'read', exact: true },
  { to: '/$store/sequences', name: 'Sequences', icon: 'sequences', needs: 'read', exact: false },
  { to: '/$store/people', name: 'People', icon: 'people', needs: 'read', exact: false },
  { to: '/$store/messages', name: 'Messages', icon: 'messages', needs: 'read', exact: false },
  { to: '/$store/tasks', name: 'Tasks', icon: 'tasks', needs: 'read', exact: false },
  { to: '/$store/why-not', name: 'Why not', icon: 'whyNot', needs: 'read', exact: false },
  { to: '/$store/experiments', name: 'Tests', icon: 'experiments', needs: 'read', exact: false },
  { to: '/$store/learning', name: 'Learning', icon: 'learning', needs: 'read', exact: false },
  { to: '/$store/risk', name: 'Risk', icon: 'risk', needs: 'read', exact: false },
  { to: '/$store/operations', name: 'Operations', icon: 'operations', needs: 'read', exact: false },
  { to: '/$store/connections', name: 'Connections', icon: 'connections', needs: 'read', exact: false },
  { to: '/$store/notifications', name: 'Notifications', icon: 'notifications', needs: 'read', exact: false },
  { to: '/$store/settings', name: 'Settings', icon: 'settings', needs: 'read', exact: false },
  { to: '/$store/team', name: 'Team', icon: 'team', needs: 'read', exact: false },
  { to: '/$store/audit', name: 'Audit log', icon: 'audit', needs: 'administer', exact: false },
] as const;
