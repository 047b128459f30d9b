import type { Files } from './files.ts'

/** The policy that the administrator signs. Paths are those of this run. */
export const policyFor = ({ notes }: Files) => ({
  v: 1,
  name: 'main',
  rules: [
    {
      id: 'read-notes',
      title: 'Read notes, a page at a time',
      who: ['tag:dev'],
      servers: ['fs'],
      tools: ['read_text_file'],
      when: { path: { prefix: notes }, head: { min: 1, max: 20 } },
      effect: 'allow',
    },
    {
      id: 'write-notes',
      title: 'Write notes',
      who: ['tag:dev'],
      servers: ['fs'],
      tools: ['write_file'],
      when: { path: { prefix: notes }, content: { maxLength: 2000 } },
      effect: 'allow',
    },
    {
      id: 'make-folder',
      title: 'Make a folder, once @ana has approved exactly that',
      who: ['tag:dev'],
      servers: ['fs'],
      tools: ['create_directory'],
      when: { path: { prefix: notes } },
      effect: 'ask',
      approvers: ['@ana'],
      wait_seconds: 120,
    },
    {
      id: 'list-notes',
      title: 'List notes, with grants that live for three seconds',
      who: ['tag:dev'],
      servers: ['fs'],
      tools: ['list_directory'],
      when: { path: { prefix: notes } },
      effect: 'allow',
      limits: { ttl_seconds: 3 },
    },
    {
      id: 'remember',
      title: 'Use the memory',
      who: ['tag:dev'],
      servers: ['memory'],
      tools: ['risk:read', 'risk:write'],
      effect: 'allow',
    },
  ],
  tests: [
    {
      name: 'payroll stays closed',
      who: '@claude',
      tags: ['dev'],
      server: 'fs',
      tool: 'read_text_file',
      args: { path: '/payroll.txt', head: 1 },
      expect: 'deny',
    },
  ],
})

/** Risk classes as the administrator sees them, whatever the server hints. Tools that are not named only read. */
export const risks = {
  fs: { write_file: 'write', edit_file: 'write', create_directory: 'write', move_file: 'destructive' },
  memory: {
    ...{ create_entities: 'write', create_relations: 'write', add_observations: 'write' },
    ...{ delete_entities: 'destructive', delete_observations: 'destructive', delete_relations: 'destructive' },
  },
} as const
