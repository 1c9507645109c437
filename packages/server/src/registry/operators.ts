import type { OperatorRole, Page } from '@sallyport/model';
import type { PageRequest } from '../storage/page.ts';
import type { Issued, Operator } from './records.ts';

export interface Operators {
  /** The token is always generated, never chosen: see {@link operatorIdOfToken}. */
  create(input: { id: string; role: OperatorRole; expiresAt?: number; by: string }): Promise<Issued<Operator>>;
  get(id: string): Promise<Operator>;
  list(page?: PageRequest): Promise<Page<Operator>>;
  update(input: { id: string; role: OperatorRole; by: string }): Promise<Operator>;
  /** Refused with `in_use` for the last administrator: nobody could undo it. */
  remove(input: { id: string; by: string }): Promise<void>;
  /** Refused with `in_use` for the last administrator. */
  suspend(input: { id: string; by: string }): Promise<Operator>;
  resume(input: { id: string; by: string }): Promise<Operator>;
}
