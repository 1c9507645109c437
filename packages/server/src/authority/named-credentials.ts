import type { CertificateFacts } from '@sallyport/trust';
import { certifies } from './host-names.ts';

/** A certificate with its key for some host names, in PEM. */
export interface NamedCredentials {
  /** SHA-256 of the certificate. */
  readonly id: string;
  readonly key: string;
  readonly cert: string;
}

/** A certificate, what it is for, and its key. */
export interface NamedPair extends NamedCredentials {
  readonly facts: Pick<CertificateFacts, 'subjectAlternativeNames'>;
}

/** The certificates among which a client chooses by the host name that it asks for. Data only, so that another process can choose as well. */
export interface NamedPairs {
  readonly own: NamedPair;
  readonly imported?: NamedPair;
  readonly ofOrganisations: ReadonlyMap<string, NamedPair>;
}

/** That of an organisation for its own host names; the own one for names that an imported one leaves out, which is what clients of before go by. */
export function credentialsByName({ own, imported, ofOrganisations }: NamedPairs) {
  return (serverName: string): NamedCredentials | undefined => {
    const dot = serverName.indexOf('.');
    const ofOrganisation = dot > 0 ? ofOrganisations.get(serverName.slice(0, dot)) : undefined;
    if (ofOrganisation && certifies(ofOrganisation.facts, serverName)) return ofOrganisation;
    if (!imported || certifies(imported.facts, serverName)) return undefined;
    return certifies(own.facts, serverName) ? own : undefined;
  };
}
