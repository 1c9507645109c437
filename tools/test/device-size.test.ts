import { beforeAll, describe, expect, it } from 'vitest';
import { BOUNDS, bundledForNode, installedFolders, installedSize, pageSizes } from '../device-size.mjs';

describe('the device SDK', () => {
  it('needs what its lock file says, and nothing of the server', () => {
    const folders = installedFolders('device');
    expect(folders).toContain('packages/device');
    expect(folders).toContain('node_modules/mqtt');
    expect(folders).not.toContain('packages/server');
    expect(folders).not.toContain('node_modules/fastify');
  });

  it('is installed within its bound', () => {
    const { packages, bytes } = installedSize();
    expect(packages).toBeLessThanOrEqual(BOUNDS.packages);
    expect(bytes).toBeLessThan(BOUNDS.installed);
    expect(bytes).toBeGreaterThan(BOUNDS.installed / 3);
  });

  it('is bundled for Node within its bound', { timeout: 120_000 }, async () => {
    const bytes = await bundledForNode();
    expect(bytes).toBeLessThan(BOUNDS.bundledForNode);
    expect(bytes).toBeGreaterThan(BOUNDS.bundledForNode / 3);
  });

  describe('in a page', () => {
    let sizes: Awaited<ReturnType<typeof pageSizes>>;
    beforeAll(async () => {
      sizes = await pageSizes();
    }, 120_000);

    it('needs nothing of Node', () => {
      expect(sizes.code).not.toMatch(/from\s*["']node:|import\s*["']node:|import node:|require\(["']node:/);
    });

    it('is within its bound, also when it is protected', () => {
      expect(sizes.page).toBeLessThan(BOUNDS.page);
      expect(sizes.page).toBeGreaterThan(BOUNDS.page / 3);
      expect(sizes.protectedPage).toBeLessThan(BOUNDS.protectedPage);
      expect(sizes.protectedPage).toBeGreaterThan(sizes.page);
    });
  });
});
