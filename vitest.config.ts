import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**'],
    globalSetup: ['test/support/postgres.ts'],
    setupFiles: ['test/support/properties.ts'],
    // Real servers start in hooks; a hook that hangs is a defect, not a slow machine.
    hookTimeout: 60_000,
    testTimeout: 60_000,
    pool: 'forks',
    // Tests wait for servers and clocks for a good part of their time: three keep two cores busy.
    maxWorkers: 3,
  },
});
