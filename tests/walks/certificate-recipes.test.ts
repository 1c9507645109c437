import type { Refusal } from '@sallyport/model';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  hierarchyRecipe,
  pinnedRecipe,
  type RecipeOptions,
} from '../../packages/cli/src/demonstration/certificate-recipes.ts';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await testServer();
  await server.api.types.update({ organisation: 'demo', id: 'pump' }, { security: 'tls-certificate' });
});
afterEach(() => server.close());

function recipe() {
  const said: string[] = [];
  const reasons: Refusal['reason'][] = [];
  const options: RecipeOptions = {
    management: server.api,
    server: { host: server.host, port: server.port, ca: server.rootPem },
    organisation: 'demo',
    device: { type: 'pump', id: 'pump-7' },
    progress: { step: async (_title, work) => work(() => {}) },
    now: Date.now,
    say: (text) => said.push(text),
    explain: ({ reason }) => reasons.push(reason),
  };
  return { options, said, reasons };
}

it('walks a hierarchy: refused as a stranger, let in, cut off and refused as revoked', {
  timeout: 120_000,
}, async () => {
  const { options, said, reasons } = recipe();
  await hierarchyRecipe(options);
  expect(reasons).toEqual(['certificate_unknown_authority', 'certificate_revoked']);
  const shown = said.filter((text) => text.includes('Certificate of the'));
  expect(shown).toHaveLength(3);
  expect(shown.join('\n')).toContain('issue nothing, digitalSignature, clientAuth');
});

it('walks a pinned pair: refused before the pin, let in with it, cut off and refused without it', {
  timeout: 120_000,
}, async () => {
  const { options, said, reasons } = recipe();
  await pinnedRecipe(options);
  expect(reasons).toEqual(['certificate_unknown_authority', 'certificate_revoked']);
  expect(said.join('\n')).toContain('issuer     CN=pump-7 (itself)');
});
