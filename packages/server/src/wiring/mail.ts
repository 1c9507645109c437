import type { Configuration } from '../config/schema.ts';
import { mailServer, type SendMail } from '../outbound/mail-server.ts';
import { incomplete, secretOf, trusted } from './secret-files.ts';

/**
 * The mail server of the configuration; undefined if there is none.
 *
 * @throws Failure `configuration_invalid` if it is half configured, `key_material_invalid` if the password cannot be read
 */
export function configuredMail({ mail, deliveryTimeout }: Configuration['unlock']): SendMail | undefined {
  if (mail.host === '') return undefined;
  if (mail.from === '') throw incomplete('unlock.mail.from', 'is empty, and unlock.mail.host is set');
  const { host, port, implicitTls, allowPlaintextMail, username, passwordFile, from } = mail;
  return mailServer({
    host,
    port,
    implicitTls,
    allowPlaintextMail,
    from,
    timeout: deliveryTimeout,
    ...(username !== '' && { username }),
    ...(passwordFile !== '' && { password: secretOf(passwordFile) }),
    ...trusted('unlock.mail.ca', mail.ca),
  });
}
