import type { ForecastRow, SecurityLevel } from '@sallyport/model';
import { CONNECTION_LEVELS, type Proof } from './connection-level.ts';

/** Whether somebody could show a kind of proof: it is on record, it may exist elsewhere, or there is none. */
export type Holding = 'held' | 'possible' | 'none';

type Judged = Pick<ForecastRow, 'outcome' | 'why'>;

/** What a level would mean for who could show these proofs. How it connects is not known while it is away. */
export function forecastPrincipal(level: SecurityLevel, holdings: Readonly<Record<Proof, Holding>>): Judged {
  const { proofs, require } = CONNECTION_LEVELS[level];
  const with_ = (holding: Holding) => proofs.filter((proof) => holdings[proof] === holding);
  const held = with_('held');
  const possible = with_('possible');
  const none = with_('none');
  if (require === 'all' ? held.length === proofs.length : held.length > 0) {
    return { outcome: 'complies', why: `It has ${named(held)}.` };
  }
  if (require === 'all' ? none.length > 0 : none.length === proofs.length) {
    return {
      outcome: 'fails',
      why: `It has no ${none.join(require === 'all' ? ' and no ' : ' or ')} in force on record.`,
    };
  }
  return {
    outcome: 'unknown',
    why: `Whether it has ${named(possible)} is not on record here: ${possible.map(elsewhere).join('; ')}.`,
  };
}

/** What a level would mean for a session: of what it showed, and how its client is connected (undefined: it is away). */
export function forecastSession(level: SecurityLevel, shown: readonly Proof[], secure: boolean | undefined): Judged {
  const { proofs, require, transport } = CONNECTION_LEVELS[level];
  if (transport === 'tls' && secure === false) {
    return { outcome: 'fails', why: 'It is connected without TLS, and would be ended.' };
  }
  const fits = (proof: Proof) => shown.includes(proof);
  if (require === 'all' ? proofs.every(fits) : proofs.some(fits)) {
    return secure === undefined && transport === 'tls'
      ? { outcome: 'unknown', why: 'Its client is away: whether it comes back over TLS is not known.' }
      : { outcome: 'complies', why: `It has shown ${named(shown)}.` };
  }
  return { outcome: 'fails', why: `It has shown ${named(shown)} only, and would be ended.` };
}

function named(proofs: readonly Proof[]): string {
  return proofs.map((proof) => `a ${proof}`).join(' and ');
}

function elsewhere(proof: Proof): string {
  return proof === 'certificate'
    ? 'authorities of the organisation may have issued one'
    : 'authorization servers of the organisation may give out access tokens';
}
