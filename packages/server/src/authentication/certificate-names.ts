import { type ClientId, type Principal, parseApplicationId, parseDeviceId, parseTypeId } from '@sallyport/model';
import type { CertificateFacts } from '@sallyport/trust';

/** A name by which a certificate speaks of a client. It holds no organisation. An empty `id` stands for every one of its kind. */
export type CertificateName =
  | { readonly kind: 'device' | 'gateway'; readonly text: string; readonly type: string; readonly id: string }
  | { readonly kind: 'application'; readonly text: string; readonly id: string };

/**
 * The names of a certificate that are of the forms `d:TYPE:ID`, `g:TYPE:ID` and `a:APPLICATION` (watson-iot.md section 3.4): the
 * common name first, then the alternative names of the kinds email and URI. Other names mean nothing here.
 */
export function certificateNames({
  commonName,
  subjectAlternativeNames: { email, uri },
}: CertificateFacts): readonly CertificateName[] {
  const texts = [...(commonName === undefined ? [] : [commonName]), ...email, ...uri];
  return texts.map(readName).filter((name) => name !== undefined);
}

function readName(text: string): CertificateName | undefined {
  const [letter = '', ...parts] = text.split(':');
  const [first = '', second = ''] = parts;
  if ((letter === 'd' || letter === 'g') && parts.length === 2) {
    if (!parseTypeId(first).ok || (second !== '' && !parseDeviceId(second).ok)) return undefined;
    return { kind: letter === 'd' ? 'device' : 'gateway', text, type: first, id: second };
  }
  if ((letter === 'a' || letter === 'A') && parts.length === 1) {
    if (first !== '' && !parseApplicationId(first).ok) return undefined;
    return { kind: 'application', text, id: first };
  }
  return undefined;
}

/** True if the name is that of the client, or stands for all of its kind. Letter case counts; `a` and `A` are one class. */
export function nameFits(name: CertificateName, clientId: ClientId): boolean {
  if (clientId.kind === 'plain' || clientId.kind !== name.kind) return false;
  if (name.kind !== 'application' && (clientId.kind === 'application' || clientId.type !== name.type)) return false;
  return name.id === '' || name.id === clientId.id;
}

/** Whom the name names in an organisation; undefined if it stands for several. */
export function principalNamed(name: CertificateName, organisation: string): Principal | undefined {
  if (name.id === '') return undefined;
  if (name.kind === 'application') return { kind: 'application', organisation, id: name.id };
  return { kind: name.kind, organisation, type: name.type, id: name.id };
}
