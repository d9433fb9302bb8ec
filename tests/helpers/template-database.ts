/** The migrated database that every test file gets a copy of. Apart from the stack, whose servers a test file need not load. */
export const templateDatabase = 'rekindle_template';
