import { Failure } from '@sallyport/model';

/**
 * The PEM text of `ca`, which is PEM text already or the path of a PEM file.
 *
 * @throws Failure `key_material_invalid` if the file cannot be read or holds no certificate
 */
export async function rootCertificate(ca: string): Promise<string> {
  if (ca.includes('-----BEGIN CERTIFICATE-----')) return ca;
  // Loaded on demand: a browser has no file system and its users pass no path.
  const { readFile } = await import('node:fs/promises');
  let text: string;
  try {
    text = await readFile(ca, 'utf8');
  } catch (cause) {
    throw new Failure('key_material_invalid', `The root certificate ${ca} cannot be read.`, {
      cause,
      cure: 'Give the path of pki/root.pem of the server, or its text.',
    });
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Failure('key_material_invalid', `${ca} holds no certificate in PEM form.`, {
      cure: 'Give the path of pki/root.pem of the server, or its text.',
    });
  }
  return text;
}
