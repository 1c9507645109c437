import {
  ON_UNKNOWN,
  type OnUnknown,
  REVOCATION_MODES,
  type RevocationChange,
  type RevocationMode,
  type RevocationPolicy,
} from '@sallyport/model';
import { checkedWord, invalid } from './checks.ts';

interface Columns {
  readonly revocation: string;
  readonly on_unknown: string;
  readonly list_url: string | null;
  readonly responder_url: string | null;
}

export function revocationOf(row: Columns): RevocationPolicy {
  return {
    mode: row.revocation as RevocationMode,
    onUnknown: row.on_unknown as OnUnknown,
    ...(row.list_url === null ? {} : { listUrl: row.list_url }),
    ...(row.responder_url === null ? {} : { responderUrl: row.responder_url }),
  };
}

/** The columns after a change. A URL that nobody would look at is `invalid_request`, because something else was meant. */
export function revocationColumns(change: RevocationChange, before?: RevocationPolicy): Columns {
  const mode = checkedWord('mode', change.mode ?? before?.mode ?? 'off', REVOCATION_MODES);
  const onUnknown = checkedWord('onUnknown', change.onUnknown ?? before?.onUnknown ?? 'hard', ON_UNKNOWN);
  const url = (key: 'listUrl' | 'responderUrl', word: 'crl' | 'ocsp'): string | null => {
    const given = change[key];
    const isUsed = mode === word || mode === 'crl-and-ocsp';
    if (given === null || given === undefined) return given === undefined && isUsed ? (before?.[key] ?? null) : null;
    if (!isUsed) throw invalid(key, `with the mode ${mode} nobody looks at it`);
    return checkedUrl(key, given);
  };
  return {
    revocation: mode,
    on_unknown: onUnknown,
    list_url: url('listUrl', 'crl'),
    responder_url: url('responderUrl', 'ocsp'),
  };
}

function checkedUrl(field: string, value: string): string {
  const url = value.length <= 500 && URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.hash !== '') {
    throw invalid(field, 'it is a URL with http or https, without user name and fragment');
  }
  return url.href;
}
