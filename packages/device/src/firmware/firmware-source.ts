/** Where a device reads the firmware repository. */
export interface FirmwareSource {
  /**
   * The bytes of a file from `offset`, as they come; undefined if there is no such file. Paths are those of the repository:
   * `metadata/timestamp.json`, `targets/TYPE/DIGEST.VERSION.bin`.
   *
   * @throws Failure `connection_lost`, `server_unreachable`, `unauthenticated`, `forbidden`
   */
  read(path: string, offset: number): Promise<AsyncIterable<Uint8Array> | undefined>;
}
