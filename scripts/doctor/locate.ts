// Which app is meant, and what is known of it: from the command line, the environment, and azd.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parseJson, pick } from './ask.ts';
import type { Patient, Settings } from './check.ts';

/**
 * @param named on the command line; else PUBLIC_URL, else what azd has deployed
 * @param own variables of the environment
 * @param azd those of azd's, which are of its own deployment, and of no other app
 * @returns nothing where no app is meant
 */
export function locate(
  named: URL | undefined,
  own: Settings,
  azd: Settings,
): Pick<Patient, 'url' | 'settings'> | undefined {
  const deployed = originOf(azd.APP_URL);
  const url = named ?? originOf(own.PUBLIC_URL) ?? deployed;
  return url && { url, settings: deployed?.origin === url.origin ? { ...azd, ...own } : own };
}

/**
 * What azd knows of its last deployment: the values and outputs of an environment.
 *
 * @param project folder of azure.yaml
 * @param name of the environment; without one, azd's default
 * @returns nothing where azd has never been
 */
export function readAzdEnvironment(project: string, name: string | undefined): Settings {
  try {
    const config = parseJson(readFileSync(join(project, '.azure/config.json'), 'utf8'));
    const environment = name ?? pick(config, 'defaultEnvironment');
    return parseEnv(readFileSync(join(project, '.azure', String(environment), '.env'), 'utf8'));
  } catch {
    return {};
  }
}

/** Leaves out variables that are empty, which count as unset. */
export function withoutEmpty(settings: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value?.trim()));
}

/** Whatever else is in a URL may be a secret: a call's binding, a password. */
export function originOf(value: string | undefined): URL | undefined {
  const url = URL.parse(value ?? '');
  return url && /^https?:$/.test(url.protocol) ? new URL(url.origin) : undefined;
}
