import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@sallyport/source'] },
  ssr: { resolve: { conditions: ['@sallyport/source'], externalConditions: ['@sallyport/source'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'tests/**/*.test.ts', 'tools/test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    pool: 'forks',
    maxWorkers: 2,
    // A machine that is busy with others may starve a real client; what fails is tried again where nobody watches.
    retry: process.env.CI ? 2 : 0,
  },
});
