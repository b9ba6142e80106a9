import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';

/** Notices that files are saved. */
export interface Saves {
  /** The path of the next file that is saved from now on, once no other follows it. */
  next(): Promise<string>;
  close(): void;
}

/** What editors put beside a file while they work on it begins with a dot, ends in a tilde, or has no extension. */
const SOURCE = /^[^.].*\.\w+$/;

/**
 * Watches folders, one by one. Node's own `--watch`, and a recursive `fs.watch`, follow a file by its inode on Linux:
 * after the first save by rename (vim, JetBrains, git, sed -i) they look at a file that is gone.
 *
 * @param paths folders, each with all that is below it, and single files
 * @param options.quietMs how long a save may be followed by others that belong to it, in milliseconds
 */
export function watchSaves(paths: readonly string[], { quietMs = 100 } = {}): Saves {
  const folders = new Map<string, FSWatcher>();
  const files: FSWatcher[] = [];
  let next = Promise.withResolvers<string>();
  let quiet: NodeJS.Timeout | undefined;

  for (const path of paths) {
    if (isFolder(path)) follow(path);
    else files.push(watch(dirname(path), (_event, name) => name === basename(path) && saved(path)));
  }

  function follow(folder: string) {
    forget(folder); // one that comes back under its name is another
    try {
      const watcher = watch(folder, (_event, name) => notice(join(folder, name ?? '')));
      folders.set(folder, watcher);
      watcher.on('error', () => forget(folder)); // Windows says so when the folder goes
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory()) follow(join(folder, entry.name));
      }
    } catch (error) {
      if (isFolder(folder)) throw error; // else it is gone again
    }
  }

  function notice(path: string) {
    forget(path);
    // What was put into a new folder before it was watched went unnoticed: the folder stands for it.
    if (isFolder(path)) follow(path);
    else if (!SOURCE.test(basename(path))) return;
    saved(path);
  }

  function forget(folder: string) {
    for (const [path, watcher] of folders) {
      if (path !== folder && !path.startsWith(folder + sep)) continue;
      watcher.close();
      folders.delete(path);
    }
  }

  function saved(path: string) {
    clearTimeout(quiet);
    quiet = setTimeout(() => next.resolve(path), quietMs);
  }

  return {
    next() {
      next = Promise.withResolvers();
      return next.promise;
    },
    close() {
      clearTimeout(quiet);
      for (const watcher of [...folders.values(), ...files]) watcher.close();
    },
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
