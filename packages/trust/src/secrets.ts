export { constantTimeEqual } from './constant-time.ts';
export { type PasswordHasher, type PasswordHasherOptions, passwordHasher } from './password-hasher.ts';
export { type SecretBox, secretBox } from './secret-box.ts';
export { generateToken, type TokenHasher, tokenHasher } from './token.ts';
