// The library decorates its classes through this polyfill and refuses to load without it; hence its place above the import.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(globalThis.crypto as Parameters<typeof x509.cryptoProvider.set>[0] & object);

export { x509 };
