import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { InvalidArgumentError } from 'commander';
import { createCommand, fromHere } from '../simulator/cli.ts';
import { createAzure, userCredential } from './doctor/azure.ts';
import type { Settings, Verdict } from './doctor/check.ts';
import { examine, type Line } from './doctor/examine.ts';
import { locate, originOf, readAzdEnvironment, withoutEmpty } from './doctor/locate.ts';

const patienceMs = 10_000;

const program = createCommand('doctor')
  .description('Looks at an app that is deployed, or behind a tunnel, and says what is right and what to do.')
  .argument('[url]', 'where the app is (default: PUBLIC_URL, else what azd up has deployed)', parseOrigin)
  .option('--env-file <file>', 'read variables from this file, as npm run dev does')
  .option('--json', 'the report as JSON')
  .parse();

const { envFile, json = false } = program.opts<{ envFile?: string; json?: boolean }>();
process.exitCode = await main(program.processedArgs[0]);

async function main(named: URL | undefined): Promise<number> {
  const own = { ...withoutEmpty(readEnvFile(envFile)), ...withoutEmpty(process.env) };
  const azd = withoutEmpty(readAzdEnvironment(join(import.meta.dirname, '..'), own.AZURE_ENV_NAME));
  const found = locate(named, own, azd);
  if (!found) {
    console.error(
      'Which app? Name its URL, set PUBLIC_URL, or run azd up first: npm run doctor -- https://…',
    );
    return 1;
  }
  const { url, settings } = found;
  const credential = userCredential(settings.AZURE_TENANT_ID, patienceMs);
  const azure = createAzure({ credential, patienceMs });
  const lines = await examine({ url, settings, azure, patienceMs });
  const isWell = lines.every(({ verdict }) => verdict !== 'wrong');
  console.log(
    json ? JSON.stringify({ ok: isWell, url: url.origin, checks: lines }, undefined, 2) : write(url, lines),
  );
  return isWell ? 0 : 1;
}

function write(url: URL, lines: readonly Line[]): string {
  const rows = lines.flatMap(({ name, verdict, found, advice }) => [
    `  ${verdict.padEnd(11)}${name.padEnd(14)}${found}`,
    ...(advice === undefined ? [] : [`${''.padEnd(27)}→ ${advice}`]),
  ]);
  const count = (wanted: Verdict) => lines.filter(({ verdict }) => verdict === wanted).length;
  const sum = `${count('ok')} ok, ${count('wrong')} wrong, ${count('unchecked')} unchecked`;
  return [`\n${url.origin}\n`, ...rows, `\n${sum}`].join('\n');
}

function readEnvFile(file: string | undefined): Settings {
  if (file === undefined) return {};
  const path = fromHere(file);
  if (!existsSync(path)) program.error(`There is no file ${file}.`);
  return parseEnv(readFileSync(path, 'utf8'));
}

function parseOrigin(value: string): URL {
  const url = originOf(value);
  if (!url) throw new InvalidArgumentError('It has to be a URL that begins with https.');
  return url;
}
