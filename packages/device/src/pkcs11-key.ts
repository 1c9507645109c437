import { Failure } from '@sallyport/model';

/** A private key in a chip, a TPM or a module, asked through PKCS#11. It never comes into this program. In Node only. */
export interface Pkcs11Key {
  /** Which key, as RFC 7512 writes it: `pkcs11:token=TOKEN;object=NAME;type=private`. */
  readonly uri: string;
  /** File that holds the PIN of the token and nothing else, not even a line break. */
  readonly pinFile: string;
  /** Shared library of the module; that which p11-kit names if absent. One for the whole program. */
  readonly module?: string;
  /** The engine of OpenSSL that speaks PKCS#11; looked for where the packages of systems put it if absent. */
  readonly engine?: string;
}

/** What TLS is told of such a key. */
export interface EngineSettings {
  readonly privateKeyEngine: string;
  readonly privateKeyIdentifier: string;
}

/** The engine finds its module here, and by no other way that Node has. */
const MODULE_VARIABLE = 'PKCS11_MODULE_PATH';
/** And OpenSSL its engines. */
const ENGINES_VARIABLE = 'OPENSSL_ENGINES';
const FOLDERS = [
  ...['x86_64-linux-gnu', 'aarch64-linux-gnu', 'arm-linux-gnueabihf'].map((system) => `/usr/lib/${system}`),
  ...['/usr/lib64', '/usr/lib', '/usr/local/lib', '/opt/homebrew/lib'],
];

/**
 * How TLS gets a signature from the key. Files are looked at first, as the engine itself would write about them to standard error.
 *
 * @throws Failure `key_material_invalid`, `invalid_request`
 */
export async function engineSettings({ uri, pinFile, module, engine }: Pkcs11Key): Promise<EngineSettings> {
  if (typeof uri !== 'string' || !uri.startsWith('pkcs11:') || /[\s?]|;pin-/.test(uri)) {
    throw new Failure('invalid_request', 'The uri of a PKCS#11 key is not of the form that is wanted.', {
      cure: 'Write pkcs11:token=TOKEN;object=NAME;type=private (RFC 7512), what is not a letter or digit as %XX; name the PIN by pinFile alone.',
    });
  }
  await checkPin(pinFile);
  if (module !== undefined) await useModule(module);
  const privateKeyEngine = await engineName(engine);
  return { privateKeyEngine, privateKeyIdentifier: `${uri};pin-source=${pinFile}` };
}

async function checkPin(pinFile: string): Promise<void> {
  const { readFile } = await import('node:fs/promises');
  if (typeof pinFile !== 'string' || !/^[^\s;?&%]+$/.test(pinFile)) {
    throw new Failure('invalid_request', 'The PIN file of a PKCS#11 key has no name that can be handed on.', {
      cure: 'Give its path in pinFile, without blanks, ";", "?", "&" and "%".',
    });
  }
  const pin = await readFile(pinFile, 'utf8').catch((cause: unknown) => {
    throw invalid(`The PIN file ${pinFile} cannot be read.`, 'Write it: printf PIN > FILE && chmod 600 FILE.', cause);
  });
  if (pin !== '' && !/[\r\n]/.test(pin)) return;
  throw invalid(`The PIN file ${pinFile} holds no PIN alone.`, 'Write it without a line break: printf PIN > FILE.');
}

async function useModule(module: string): Promise<void> {
  const cure = 'Give the path of its shared library, or leave module out where p11-kit knows it.';
  if (!(await exists(module))) throw invalid(`The PKCS#11 module ${module} cannot be read.`, cure);
  useForAll(MODULE_VARIABLE, module, 'PKCS#11 module');
}

/** Node asks twice for an engine that is given by its path, and can then use it once only: by folder and name it is asked once. */
async function engineName(engine: string | undefined): Promise<string> {
  const places = [process.env[ENGINES_VARIABLE], ...FOLDERS.map((folder) => `${folder}/engines-3`)];
  const files = engine === undefined ? places.map((place) => `${place}/pkcs11.so`) : [engine];
  for (const file of files) {
    const [, folder, name] = /^(\/.+)\/([^/]+)\.(?:so|dylib)$/.exec(file) ?? [];
    if (folder === undefined || name === undefined || !(await exists(file))) continue;
    useForAll(ENGINES_VARIABLE, folder, 'folder of engines of OpenSSL');
    return name;
  }
  throw invalid(
    `There is no PKCS#11 engine of OpenSSL ${engine === undefined ? 'where it is looked for' : `at ${engine}`}.`,
    'Install libengine-pkcs11-openssl (Debian) or openssl-pkcs11 (Fedora), or give the full path of pkcs11.so in engine.',
  );
}

function useForAll(variable: string, value: string, what: string): void {
  const present = process.env[variable];
  if (present !== undefined && present !== value) {
    throw new Failure('invalid_request', `This program uses the ${what} ${present} already.`, {
      cure: `Name the same for all keys, or give them to programs of their own (${variable}).`,
    });
  }
  process.env[variable] = value;
}

async function exists(file: string): Promise<boolean> {
  const { access } = await import('node:fs/promises');
  return access(file).then(
    () => true,
    () => false,
  );
}

/** What went wrong when TLS asked for the key: words of the module, never the PIN. */
export function engineFailure(cause: unknown): Failure {
  const { reason, message } = cause as { readonly reason?: string; readonly message: string };
  return invalid(
    `The PKCS#11 key cannot be used: ${reason ?? message}.`,
    'Check token, object and PIN: pkcs11-tool --module MODULE --list-objects --login. A token locks itself after a few wrong PINs.',
    cause,
  );
}

function invalid(message: string, cure: string, cause?: unknown): Failure {
  return new Failure('key_material_invalid', message, { cure, ...(cause === undefined ? {} : { cause }) });
}
