// @ts-check
import { request } from 'node:https';
import { Link } from '@sallyport/device';
import { example } from '../example.mjs';

const COMMANDS = 'publish:iot-2/type/pump/id/+/cmd/+/fmt/+';

await example(
  'An application comes with a short-lived token of the authorization server, and does no more than the token says',
  async ({ place, httpPort, api, desk, say, refused }) => {
    const { organisation } = place;
    const issuer = `https://localhost:${httpPort}/oauth/${organisation}`;
    await api.issuers.add(organisation, {
      id: 'own',
      issuer,
      audience: `sallyport:${organisation}`,
      jwksUrl: `${issuer}/jwks`,
      principal: '{sub}',
      grants: 'optional',
    });

    const form = new URLSearchParams({ grant_type: 'client_credentials', scope: `mqtt:${COMMANDS}` }).toString();
    const answer = await /** @type {Promise<{ access_token: string, expires_in: number }>} */ (
      new Promise((resolve, reject) => {
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        const auth = `${desk.key}:${desk.token}`;
        const sent = request(
          `${issuer}/token`,
          { method: 'POST', ca: place.ca, agent: false, headers, auth },
          (response) => {
            let text = '';
            response.on('data', (chunk) => {
              text += chunk;
            });
            response.on('end', () => resolve(JSON.parse(text)));
          },
        );
        sent.on('error', reject);
        sent.end(form);
      })
    );
    say(`✓ The application got a token that holds for ${answer.expires_in} s`);

    const clientId = `a:${organisation}:${desk.id}`;
    const link = await Link.open(place, { clientId, username: 'use-access-token', password: answer.access_token });
    const nothing = new TextEncoder().encode('{}');
    await link.publish('iot-2/type/pump/id/pump-7/cmd/blink/fmt/json', nothing, 1);
    say(`✓ ${clientId} is in by its token, and may send commands`);
    await refused('An event in the name of a device, which the policy permits and the token does not', () =>
      link.publish('iot-2/type/pump/id/pump-7/evt/blink/fmt/json', nothing, 1),
    );
    await link.close();
    const forged = `${answer.access_token.slice(0, -4)}AAAA`;
    await refused('A token with another signature', () =>
      Link.open(place, { clientId, username: 'use-access-token', password: forged }),
    );
  },
  { 'authorizationServer.organisations': ['demo'] },
);
