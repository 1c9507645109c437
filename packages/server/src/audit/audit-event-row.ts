/** What a type of audit row says. */
export interface AuditEventRow {
  readonly meaning: string;
  /** What its details hold. */
  readonly details: readonly string[];
}
