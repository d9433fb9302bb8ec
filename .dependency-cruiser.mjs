// Who may import whom. `npm run check:imports` checks it, docs/import-diagram.md shows what the code really does.

/**
 * One entry per folder of the house. `may` lists the folders (or single files) that it may import beside itself; nothing else.
 * A folder that is missing here is a violation: a new part of the house says where it stands before it says anything else.
 */
const house = {
  domain: { may: [], because: 'rules without clock and I/O run the same in the workflow, in a transaction and in a rehearsal' },
  workflows: { may: ['domain'], because: 'whatever they import is bundled into the sandbox and replayed for as long as an enrollment lives' },
  db: { may: ['domain'], because: 'a repository stores and finds; it decides nothing and knows no caller' },
  integrations: { may: ['domain'], because: 'a provider is one folder and one registry line: it sees events and payloads, never our tables' },
  content: { may: ['domain'], because: 'a message is made of a step and facts; whoever renders reads no database' },
  operations: {
    may: ['domain', 'db', 'integrations', 'content'],
    because: 'a use case is a short script around transactions; HTTP and Temporal are its callers',
  },
  activities: { may: ['operations', 'workflows/contract.ts'], because: 'thin: Temporal in, an operation out' },
  temporal: { may: ['operations', 'workflows/contract.ts'], because: 'it fills the port that operations declare: how Temporal is told' },
  // How a DKIM key is read is known in one place; a wrong one is named at the start, beside all other variables.
  config: { may: ['integrations/smtp/dkim-key.ts'], because: 'the environment is read once and handed inward' },
  worker: {
    may: ['config', 'db', 'integrations', 'operations', 'temporal', 'activities', 'workflows'],
    because: 'it puts the parts together: config → db → integrations → operations → activities → Worker',
  },
  // The words in which pages speak of a kind of subject, and of a channel, are the domain's.
  api: {
    // The tools at /mcp call the API as everybody does, by the client.
    may: ['operations', 'temporal', 'workflows/contract.ts', 'config', 'domain/channels', 'domain/subjects', 'mcp', 'sdk'],
    because: 'thin: HTTP in, an operation out',
  },
  // Only through the file that the API publishes (openapi.json): what we use, everyone can use.
  sdk: { may: [], because: 'it knows what openapi.json says, and nothing of the server' },
  cli: {
    may: ['sdk', 'mcp', 'domain', 'content'],
    because: 'what a command can do with a server, every caller of the API can; a file is rehearsed and previewed without one',
  },
  mcp: { may: ['sdk'], because: 'agents can do what every caller of the API can, and nothing else' },
  web: { may: ['sdk'], because: 'the dashboard has no way of its own to the data: what it shows, every caller of the API can have' },
  deploy: { may: [], because: 'scripts for containers that hold none of our code' },
  examples: { may: [], because: 'they show what any program can do over HTTP' },
};

/** Tools and tests import everything of the house; nothing of the house imports them. */
const outside = {
  local: { may: [...Object.keys(house)] },
  tests: { may: [...Object.keys(house), 'local', 'bench', 'vitest.config.ts'] },
  bench: { may: [...Object.keys(house), 'local', 'tests/helpers', 'tests/chaos'] },
};

/** Packages that are somebody's own business: replacing one must stay a change in one place. */
const confined = [
  { packages: ['pg', 'drizzle-orm'], to: ['db', 'operations'], because: 'SQL is visible in repositories and operations, nowhere else' },
  { packages: ['fastify', '@fastify/[^/]+', 'fastify-type-provider-zod'], to: ['api'], because: 'only the API speaks HTTP' },
  { packages: ['nodemailer'], to: ['integrations'], because: 'only an integration speaks to a provider' },
  {
    packages: ['csv-parse'],
    to: ['operations/csv', 'integrations/recommendations-csv'],
    because: 'how a file is taken apart is known where files are read',
  },
  { packages: ['undici', 'ipaddr.js'], to: ['integrations/http'], because: 'whatever is called for a store is looked at in one place' },
  { packages: ['web-push'], to: ['integrations/web-push'], because: 'it encrypts; our own fence sends' },
  { packages: ['openai'], to: ['integrations/openai'], because: 'another client, or none, is a change of one folder' },
  { packages: ['better-auth', '@better-auth/[^/]+'], to: ['operations/identity'], because: 'how people sign in is known in one place' },
  { packages: ['mjml', 'liquidjs', 'html-to-text'], to: ['content'], because: 'only content/ turns templates into messages' },
  { packages: ['@temporalio/worker'], to: ['worker'], because: 'a process that is no worker needs no native core' },
  { packages: ['@temporalio/activity'], to: ['activities', 'worker'], because: 'operations run without Temporal' },
  { packages: ['@temporalio/client'], to: ['temporal', 'worker', 'api'], because: 'operations reach Temporal through a port that they declare' },
  { packages: ['@modelcontextprotocol/sdk'], to: ['mcp'], because: 'the protocol of agents is known in one place' },
  {
    packages: ['react', 'react-dom', '@tanstack/[^/]+'],
    to: ['web'],
    because: 'a browser runs them, and no process of ours: how the dashboard is drawn is known in one place',
  },
  { packages: ['date-holidays'], to: ['domain/time'], because: 'it takes 400 ms to load: once, in one place, and never in a workflow' },
  {
    packages: ['temporal-polyfill'],
    to: ['domain/time'],
    because: '`Temporal` is the server here; the date library of that name stays in one place',
  },
];

const productFolders = Object.keys(house);
const allFolders = [...productFolders, ...Object.keys(outside)];
const rootFiles = '^[^/]+[.](ts|mjs|cjs|js)$';
const anchored = (part) => (part.endsWith('.ts') ? `^${part.replaceAll('.', '[.]')}$` : `^${part}/`);
const packageInNodeModules = (name) => `^node_modules/(@types/)?${name}/`;

const folderRules = Object.entries({ ...house, ...outside }).map(([folder, { may, because }]) => ({
  name: `${folder}-imports`,
  comment: `${folder}/ imports ${[folder, ...may].join(', ')}${because === undefined ? '' : `: ${because}`}`,
  severity: 'error',
  from: { path: `^${folder}/` },
  to: { dependencyTypes: ['local'], pathNot: [folder, ...may].map(anchored) },
}));

const confinedRules = confined.map(({ packages, to, because }) => ({
  name: `confined-${packages[0].replaceAll(/[@/]+/g, '-').replace(/^-/, '')}`,
  comment: because,
  severity: 'error',
  from: { path: productFolders.map(anchored), pathNot: to.map(anchored) },
  to: { path: packages.map(packageInNodeModules) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...folderRules,
    ...confinedRules,
    {
      name: 'domain-stays-pure',
      comment: 'packages that compute, never ones that do something: no built-in module, no database, no network',
      severity: 'error',
      // It loads its library when the first law asks for a holiday: 400 ms that no command line should wait for.
      from: { path: '^domain/', pathNot: '^domain/time/holidays[.]ts$' },
      to: { pathNot: ['^domain/', ...['zod', 'yaml', 'temporal-polyfill', 'libphonenumber-js'].map(packageInNodeModules)], couldNotResolve: false },
    },
    {
      name: 'workflows-stay-in-the-sandbox',
      comment: 'only what the SDK offers inside a workflow; tests/workflows/bundle.test.ts looks at what this pulls in',
      severity: 'error',
      from: { path: '^workflows/' },
      to: {
        pathNot: ['^workflows/', '^domain/', ...['@temporalio/workflow', '@temporalio/common'].map(packageInNodeModules)],
        couldNotResolve: false,
      },
    },
    {
      name: 'contract-is-all-that-leaves-workflows',
      comment: 'workflow code runs in the sandbox only; a worker names its file by path and everyone else by its contract',
      severity: 'error',
      from: { path: productFolders.map(anchored), pathNot: '^workflows/' },
      to: { path: '^workflows/', pathNot: '^workflows/contract[.]ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-unlisted-folder',
      comment: 'a file lies in a folder that this page does not know: list the folder with what it may import',
      severity: 'error',
      // Selects every module outside, also one that neither imports nor is imported.
      module: {
        path: '[.](ts|tsx|mjs|cjs|js)$',
        pathNot: [`^(${allFolders.join('|')})/`, rootFiles, '^node_modules/', '^[.][.]?/'],
        numberOfDependentsLessThan: 100,
      },
      from: {},
    },
    {
      name: 'no-cycle',
      comment: 'two files that need each other are one idea, or one of them holds a piece of a third; imports of types count',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-development-package-in-the-product',
      comment: 'production installs without devDependencies',
      severity: 'error',
      from: { path: productFolders.map(anchored), pathNot: '^db/drizzle[.]config[.]ts$' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-undeclared-package',
      comment: 'a package that only another package brings along may be gone tomorrow',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-unresolvable',
      comment: 'the file or package does not exist',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['^node_modules/'] },
    exclude: { path: ['^(dist|sdk/dist|web/dist|coverage|[.]rekindle)/', '^tests/workflows/histories/'] },
    // Type imports are imports: who may know whom is a question about types first.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'types', 'default'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
