/** How the device proves who it is. */
export type SimulatedProof =
  | { readonly by: 'token'; readonly token: string }
  | { readonly by: 'password'; readonly username: string; readonly password: string }
  | { readonly by: 'certificate'; readonly cert: string; readonly key: string; readonly token?: string };

/** User name and password of CONNECT for a proof. */
export function credentialOf(proof: SimulatedProof): { readonly username?: string; readonly password?: string } {
  switch (proof.by) {
    case 'token':
      return { username: 'use-token-auth', password: proof.token };
    case 'password':
      return { username: proof.username, password: proof.password };
    case 'certificate':
      return proof.token === undefined ? {} : { username: 'use-token-auth', password: proof.token };
  }
}
