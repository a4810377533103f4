// Why a file could not be read or written, in QEMU's words.

/** What an error of node:fs says, without the path. */
export function reason(error: NodeJS.ErrnoException): string {
  const known: Record<string, string> = {
    ENOENT: "No such file or directory",
    EACCES: "Permission denied",
    EISDIR: "Is a directory",
    ERR_FS_FILE_TOO_LARGE: "File too large",
  };
  return known[error.code ?? ""] ?? error.message;
}
