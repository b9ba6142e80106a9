// The Bicep compiler as the tests use it: brought by NuGet, asked over JSON-RPC.

import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';

export const infra = join(import.meta.dirname, '../../infra');
export const subscription = '11111111-1111-1111-1111-111111111111';
export const tenant = '33333333-3333-3333-3333-333333333333';

/** One resource as the evaluated template has it; what only Azure knows stays an expression in square brackets. */
export interface Resource {
  id: string;
  type: string;
  name: string;
  properties?: Record<string, unknown>;
}

/** What a deployment with certain parameters would make. */
export interface Snapshot {
  predictedResources: Resource[];
  diagnostics: unknown[];
  outputs: Record<string, unknown>;
}

/** What the compiler says of one file; `contents` is the ARM template. */
export interface Compiled {
  success: boolean;
  diagnostics: { level: string; code: string; message: string }[];
  contents?: string;
}

export type Parameters = Record<string, string | number | boolean>;

/** Bicep at work; `close` ends its process. */
export interface Bicep {
  compile(file: string): Promise<Compiled>;
  /** The file as the formatter would write it. */
  format(file: string): Promise<string>;
  evaluate(parameters: Parameters): Promise<Snapshot>;
  close(): Promise<void>;
}

/**
 * Why the tests that need the compiler can't run; false if they can.
 *
 * @throws {Error} instead, with REQUIRE_BICEP set: a gate must not pass because half of it was left out
 */
export function bicepMissing(): string | false {
  try {
    execFileSync('dotnet', ['--version'], { stdio: 'ignore' });
    return false;
  } catch (cause) {
    const reason =
      'NOT TESTED: infra/ needs the Bicep compiler, NuGet brings it, and there is no dotnet here (https://dot.net)';
    if (process.env.REQUIRE_BICEP) throw new Error(reason, { cause });
    console.error(reason);
    return reason;
  }
}

/**
 * Restores the compiler, from NuGet's cache after the first time, and starts it.
 *
 * @throws {Error} if the package can't be had
 */
export function startBicep(): Bicep {
  const scratch = mkdtempSync(join(tmpdir(), 'callgate-bicep-'));
  const child = spawn(restore(scratch), ['jsonrpc', '--stdio']);
  const request = createClient(child);
  let count = 0;

  return {
    compile: (file) => request<Compiled>('bicep/compile', { path: join(infra, file) }),
    async format(file) {
      const { contents } = await request<{ contents: string }>('bicep/format', { path: join(infra, file) });
      return contents;
    },
    async evaluate(parameters) {
      count += 1;
      const path = join(scratch, `${count}.bicepparam`);
      const template = relative(scratch, join(infra, 'main.bicep')).replaceAll(sep, '/');
      const all = { environmentName: 'test', location: 'westeurope', ...parameters };
      const lines = Object.entries(all).map(
        ([name, value]) => `param ${name} = ${typeof value === 'string' ? `'${value}'` : value}`,
      );
      writeFileSync(path, [`using '${template}'`, ...lines].join('\n'));
      const { snapshot } = await request<{ snapshot: string }>('bicep/getSnapshot', {
        path,
        metadata: {
          tenantId: tenant,
          subscriptionId: subscription,
          location: 'westeurope',
          deploymentName: 'test',
        },
      });
      return JSON.parse(snapshot);
    },
    async close() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** Brings the package and returns the path of the compiler in it; what MSBuild writes beside a project goes to scratch. */
function restore(scratch: string): string {
  const project = [
    join(import.meta.dirname, 'bicep.csproj'),
    `-p:BaseIntermediateOutputPath=${join(scratch, 'obj')}/`,
  ];
  const dotnet = (...args: string[]) => execFileSync('dotnet', args, { encoding: 'utf8', stdio: 'pipe' });
  dotnet('restore', ...project);
  return dotnet('msbuild', ...project, '-getProperty:BicepPath').trim();
}

interface Answer {
  id: number;
  result?: unknown;
  error?: { message: string };
}

/** JSON-RPC with Content-Length headers. A word on stderr, or an early end, fails what waits for an answer. */
function createClient(child: ChildProcessWithoutNullStreams) {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let id = 0;
  let received = Buffer.alloc(0);

  const fail = (error: Error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  child.on('error', fail);
  child.on('exit', () => fail(new Error('Bicep ended')));
  child.stderr.on('data', (text: Buffer) => fail(new Error(`Bicep says: ${text}`)));
  child.stdout.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (let answer = take(); answer; answer = take()) settle(answer);
  });

  function take(): Answer | undefined {
    const end = received.indexOf('\r\n\r\n');
    const length = Number(
      /content-length: *(\d+)/i.exec(received.toString('latin1', 0, Math.max(end, 0)))?.[1],
    );
    if (end < 0 || received.length < end + 4 + length) return undefined;
    const body = received.toString('utf8', end + 4, end + 4 + length);
    received = received.subarray(end + 4 + length);
    return JSON.parse(body);
  }

  function settle({ id, result, error }: Answer) {
    const { resolve, reject } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (error) reject?.(new Error(`Bicep says: ${error.message}`));
    else resolve?.(result);
  }

  return async function request<T>(method: string, params: object): Promise<T> {
    id += 1;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    // The protocol's types are the compiler's: Bicep.Cli/Rpc/ICliJsonRpcProtocol.cs in Azure/bicep.
    return (await answer.promise) as T;
  };
}
