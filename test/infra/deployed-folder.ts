// The app's folder as it comes to be on App Service: what azd uploads, and what the build there installs.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Settings } from './settings.ts';
import { packaged } from './webappignore.ts';

/** Node's own folder first: another node on this machine may be older. */
export const path = `${dirname(process.execPath)}:${process.env.PATH}`;

/** What says how npm gets at packages here. All else of npm's is of the run that this test is part of. */
const access = /^npm_config_(cache|registry|userconfig)$|^NODE_EXTRA_CA_CERTS$|_proxy$|^HOME$/i;

/**
 * Copies what azd uploads, and installs as Oryx does: `npm install`, the app's settings being its environment, and
 * `node_modules` moved away and linked to
 * (https://github.com/microsoft/Oryx/blob/main/doc/runtimes/nodejs.md).
 *
 * @param scratch an empty folder
 * @returns the app's folder in it
 */
export function deploy(project: string, scratch: string, settings: Settings): string {
  const app = join(scratch, 'wwwroot');
  for (const file of packaged(project)) {
    mkdirSync(dirname(join(app, file)), { recursive: true });
    cpSync(join(project, file), join(app, file));
  }
  const inherited = Object.entries(process.env).filter(([name]) => access.test(name));
  const env = {
    ...Object.fromEntries(inherited),
    ...settings,
    PATH: path,
    npm_config_prefer_offline: 'true',
  };
  execFileSync('npm', ['install'], { cwd: app, env, stdio: 'pipe' });
  renameSync(join(app, 'node_modules'), join(scratch, 'node_modules'));
  symlinkSync(join(scratch, 'node_modules'), join(app, 'node_modules'));
  return app;
}
