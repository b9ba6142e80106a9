import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answer, Handler, Request } from '../http/http.ts';
import { createLocalServer } from '../http/http.ts';
import { createCertificate } from './certificate.ts';
import { createEntraEndpoints, identityPath } from './entra-endpoints.ts';
import { createEntraTokens, type EntraTokenOptions } from './entra-tokens.ts';

/** A local Entra ID, and the simulator's API over https, which its tokens open. */
export interface Entra {
  /** The API, and Entra ID: AZURE_AUTHORITY_HOST for a credential with `disableInstanceDiscovery`. */
  readonly url: string;
  /** What has to be trusted, as PEM, and the file that it is in. */
  readonly certificate: string;
  readonly certificateFile: string;
  readonly issuer: string;
  /** The one app that is registered. */
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The environment of an app with a managed identity. */
  env(): Record<string, string>;
  /** A token as an app gets it. */
  token(options?: EntraTokenOptions): Promise<string>;
  /** @throws {JOSEError} unless the token is good for ACS */
  verify(token: string): Promise<void>;
  /** Answers whoever asks for a token. Nothing where the path is another. */
  answer(request: Request): Promise<Answer> | undefined;
  /** Ends the listener and removes the file. */
  close(): Promise<void>;
}

/**
 * Opens an https listener on 127.0.0.1 with a certificate made just now, and stands in for Entra ID there.
 *
 * @param options.url the simulator over http, where managed identities get their tokens
 * @param options.handle what answers over https as well
 * @param options.now clock in milliseconds
 */
export async function createEntra({
  url: identityUrl,
  handle,
  now,
}: {
  url: string;
  handle: Handler;
  now: () => number;
}): Promise<Entra> {
  const certificate = await createCertificate();
  const folder = await mkdtemp(join(tmpdir(), 'callgate-simulator-')); // nobody else's to write
  const certificateFile = join(folder, 'certificate.pem');
  await writeFile(certificateFile, certificate.cert);

  const secrets = {
    tenantId: randomUUID(),
    clientId: randomUUID(),
    clientSecret: randomBytes(32).toString('base64url'),
    identityHeader: randomBytes(32).toString('base64url'),
  };
  const { tenantId: tenant, clientId: client } = secrets;
  // Of another origin a form is refused all the same; this one proves itself by the secret in it.
  const takesForm = (path: string) => path === `/${tenant}/oauth2/v2.0/token`;
  const { server, port } = await createLocalServer({ port: 0, certificate, takesForm, handle });
  const url = `https://127.0.0.1:${port}`;
  const issuer = `${url}/${tenant}/v2.0`;
  const tokens = await createEntraTokens({ issuer, tenant, client, now });

  return {
    url,
    certificate: certificate.cert,
    certificateFile,
    issuer,
    tenantId: tenant,
    clientId: client,
    clientSecret: secrets.clientSecret,
    env: () => ({
      ACS_ENDPOINT: url,
      IDENTITY_ENDPOINT: identityUrl + identityPath,
      IDENTITY_HEADER: secrets.identityHeader,
      NODE_EXTRA_CA_CERTS: certificateFile,
    }),
    token: tokens.issue,
    verify: tokens.verify,
    answer: createEntraEndpoints({ url, issuer, tokens, secrets, now }),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await Promise.all([closed, rm(folder, { recursive: true, force: true })]);
    },
  };
}
