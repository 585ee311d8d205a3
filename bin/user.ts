import { userInfo } from 'node:os';

/** Who runs this; a container may have a user that nobody has entered, and that has a number. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${String(process.getuid?.())}`;
  }
}
