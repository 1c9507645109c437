import { expect, test } from 'vitest';
import { pairNames } from '../src/pair-names.ts';

test('names certificate and key by the prefix', () => {
  expect(pairNames('keys/pump-7', 'other')).toEqual({
    certificateFile: 'keys/pump-7.pem',
    keyFile: 'keys/pump-7-key.pem',
  });
});

test('takes a name with its ending for the file that is meant', () => {
  expect(pairNames('pump-7.pem', 'other')).toEqual({ certificateFile: 'pump-7.pem', keyFile: 'pump-7-key.pem' });
  expect(pairNames('PUMP.PEM', 'other')).toEqual({ certificateFile: 'PUMP.pem', keyFile: 'PUMP-key.pem' });
});

test('leaves alone what is no ending, and an id that ends so', () => {
  expect(pairNames('keys/.pem', 'other').certificateFile).toBe('keys/.pem.pem');
  expect(pairNames('pem', 'other').certificateFile).toBe('pem.pem');
  expect(pairNames(undefined, 'pump.pem').certificateFile).toBe('pump.pem.pem');
});
