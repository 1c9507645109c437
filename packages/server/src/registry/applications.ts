import type { Page } from '@sallyport/model';
import type { PageRequest } from '../storage/page.ts';
import type { Application, ApplicationRole, Issued } from './records.ts';

export interface ApplicationName {
  readonly organisation: string;
  readonly id: string;
}

export interface Applications {
  /** `key` is generated (`a-ORGANISATION-xxxxxxxxxx`) unless it is chosen; `role` is `standard` unless it is given. */
  create(
    input: ApplicationName & {
      key?: string;
      role?: ApplicationRole;
      description?: string;
      token?: string;
      expiresAt?: number;
      by: string;
    },
  ): Promise<Issued<Application>>;
  get(name: ApplicationName): Promise<Application>;
  list(input: { organisation: string } & PageRequest): Promise<Page<Application>>;
  /** What is left out stays, `null` clears. */
  update(
    input: ApplicationName & { role?: ApplicationRole; description?: string | null; by: string },
  ): Promise<Application>;
  /** Its credentials end with it. */
  remove(input: ApplicationName & { by: string }): Promise<void>;
  suspend(input: ApplicationName & { by: string }): Promise<Application>;
  resume(input: ApplicationName & { by: string }): Promise<Application>;
}
