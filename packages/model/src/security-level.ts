/** The five connection-security levels, as an organisation's default and per device type. */
export const SECURITY_LEVELS = [
  'tls-optional',
  'tls-token',
  'tls-certificate',
  'tls-certificate-and-token',
  'tls-certificate-or-token',
] as const;
export type SecurityLevel = (typeof SECURITY_LEVELS)[number];
