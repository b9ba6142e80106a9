// What azd would upload of a folder: its walk, and its reading of .webappignore.

import { readdirSync, readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';

/**
 * Lists the files that azd packages for App Service, in alphabetical order.
 *
 * As in azd (cli/azd/pkg/project/project_utils.go of Azure/azure-dev, denormal/go-gitignore): the last pattern that
 * matches decides, each path is matched on its own, a folder that is left out isn't entered, and neither `.azure`
 * nor the file itself is ever sent.
 *
 * @throws {Error} at a pattern of a kind that isn't reproduced here
 */
export function packaged(folder: string): string[] {
  const patterns = readFileSync(join(folder, '.webappignore'), 'utf8')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map(parse);

  const walk = (inside: string): string[] =>
    readdirSync(join(folder, inside), { withFileTypes: true }).flatMap((entry) => {
      const path = inside ? `${inside}/${entry.name}` : entry.name;
      const isFolder = entry.isDirectory();
      if (entry.name === (isFolder ? '.azure' : '.webappignore')) return [];
      if (patterns.findLast(({ matches }) => matches(path, isFolder))?.ignores) return [];
      return isFolder ? walk(path) : [path];
    });
  return walk('').sort();
}

function parse(line: string) {
  const [, negation, anchor, body = '', slash] = /^(!?)(\/?)(.*?)(\/?)$/.exec(line) ?? [];
  const below = body.endsWith('/**') ? body.slice(0, -3) : undefined;
  if ((below ?? body).includes('/') || /[[\]\\?]/.test(body))
    throw new Error(`${line} is not reproduced here`);
  return {
    ignores: !negation,
    matches(path: string, isFolder: boolean): boolean {
      if (slash && !isFolder) return false;
      if (below !== undefined) return path === below || path.startsWith(`${below}/`);
      if (anchor) return path === body;
      return matchesGlob(path.slice(path.lastIndexOf('/') + 1), body) || body === '*';
    },
  };
}
