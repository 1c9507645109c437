/** What happens at the authorization server. Principals are in their written form. */
export type OauthEvent =
  | {
      readonly type: 'token.issued';
      readonly organisation: string;
      readonly principal: string;
      /** `grant_type` of the request. */
      readonly grant: string;
      readonly address: string;
      /** None: whatever the policy permits. */
      readonly scopes: readonly string[];
    }
  | {
      readonly type: 'device.approved' | 'device.denied';
      readonly organisation: string;
      readonly principal: string;
      /** Written form of the operator, or `owner:` with a mail address. */
      readonly by: string;
      /** From where the device asked. */
      readonly address: string;
      readonly scopes: readonly string[];
    }
  | {
      readonly type: 'token.revoked';
      readonly organisation: string;
      /** Absent if it is not known whose token it is. */
      readonly principal?: string;
      readonly by: string;
      /** Whether one token, those of an approval, or all of the principal. */
      readonly what: 'token' | 'approval' | 'principal';
      /** Of the token. */
      readonly jti?: string;
    }
  | {
      readonly type: 'signing-keys.rotated';
      readonly organisation: string;
      readonly by: string;
      readonly atOnce: boolean;
      /** The newest key. */
      readonly kid: string;
    };
