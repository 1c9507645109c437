import type { Page, SecurityLevel } from '@sallyport/model';
import type { PageRequest } from '../storage/page.ts';
import type { Organisation } from './records.ts';

export interface Organisations {
  create(input: { id: string; name?: string; security?: SecurityLevel; by: string }): Promise<Organisation>;
  get(id: string): Promise<Organisation>;
  list(page?: PageRequest): Promise<Page<Organisation>>;
  update(input: { id: string; name?: string; security?: SecurityLevel; by: string }): Promise<Organisation>;
  /** Refused with `in_use` while it has device types, devices or applications. */
  remove(input: { id: string; by: string }): Promise<void>;
  suspend(input: { id: string; by: string }): Promise<Organisation>;
  resume(input: { id: string; by: string }): Promise<Organisation>;
}
