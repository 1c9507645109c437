import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Exchange, Identity } from '../identity.ts';
import { SALLYPORT_ORGANISATION } from '../peers/sallyport.ts';
import type { SallyportPeer } from './peers.ts';

const PASSWORD = 'the password of a bench';

/**
 * The clients of a peer with a user name and password each, proven by SCRAM-SHA-256 (RFC 7677): two packets more each way. Salted
 * passwords are kept, as RFC 5802 section 5.1 allows, so that the generator does not work on them again and again.
 */
export async function withScram(peer: SallyportPeer): Promise<readonly Identity[]> {
  const identities: Identity[] = [];
  for (const identity of peer.byToken) {
    const { role, index } = identity;
    const username = `scram-${role}-${index}`;
    await peer.api.devices.credentials.issue(
      { organisation: SALLYPORT_ORGANISATION, type: role, id: String(index) },
      { password: { username, password: PASSWORD, scram: true } },
    );
    const salted = new Map<string, Buffer>();
    identities.push({ ...identity, exchange: () => scram(username, salted) });
  }
  return identities;
}

function scram(username: string, known: Map<string, Buffer>): Exchange {
  const bare = `n=${username},r=${randomBytes(18).toString('base64')}`;
  return {
    method: 'SCRAM-SHA-256',
    first: `n,,${bare}`,
    answer(data) {
      const serverFirst = data.toString('utf8');
      const [nonce = '', salt = '', iterations = ''] = serverFirst.split(',').map((part) => part.slice(2));
      const key = `${salt} ${iterations}`;
      const salted =
        known.get(key) ?? pbkdf2Sync(PASSWORD, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
      known.set(key, salted);
      const clientKey = createHmac('sha256', salted).update('Client Key').digest();
      const storedKey = createHash('sha256').update(clientKey).digest();
      const withoutProof = `c=${Buffer.from('n,,').toString('base64')},r=${nonce}`;
      const signature = createHmac('sha256', storedKey).update(`${bare},${serverFirst},${withoutProof}`).digest();
      const proof = Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0)));
      return `${withoutProof},p=${proof.toString('base64')}`;
    },
  };
}
