export { leastRoleFor, may, type Permission, permissions, type Role, roleNames } from '../domain/access/permissions.ts';
