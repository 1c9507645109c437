import type { ListName } from '@sallyport/model';
import type { HeldEntry } from './compiled-list.ts';

/** Scope of the lists of the whole server; every other scope is the id of an organisation. */
export const SERVER_SCOPE = '';

export interface ListChange {
  readonly scope: string;
  readonly list: ListName;
  /** Written form of the operator. */
  readonly by: string;
}

export interface SettingsChange {
  readonly scope: string;
  readonly active: 'none' | ListName;
  readonly unknownCountry?: 'allow' | 'refuse';
  /** It was said that nobody, or not even who asks, is to pass. */
  readonly forced: boolean;
  readonly by: string;
}

/** What keeps the lists: each change is on disk, with its audit row, when the promise resolves. */
export interface ListStore {
  load(): Promise<{
    readonly settings: readonly Omit<SettingsChange, 'forced' | 'by'>[];
    readonly entries: readonly (HeldEntry & Omit<ListChange, 'by'>)[];
  }>;
  put(input: ListChange & { readonly entries: readonly HeldEntry[] }): Promise<void>;
  remove(input: ListChange & { readonly entries: readonly string[] }): Promise<void>;
  set(input: SettingsChange): Promise<void>;
}
