import { createHash, timingSafeEqual } from 'node:crypto';
import type { Answer, Request } from '../http/http.ts';
import { RestError } from '../http/rest-error.ts';
import { type EntraTokens, entraTokenSeconds } from './entra-tokens.ts';

/** Where an app with a managed identity gets its tokens, over http, as on App Service. */
export const identityPath = '/msi/token';

/** Who may ask for tokens: an app by its secret, and whatever runs under a managed identity by the header. */
export interface EntraSecrets {
  tenantId: string;
  clientId: string;
  clientSecret: string;
  identityHeader: string;
}

/**
 * The endpoints that the credentials of Microsoft's SDKs get a token from: App Service's own for a managed identity
 * (https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference), and Entra ID's for
 * the client credentials grant (RFC 6749, 4.4) with what points to it.
 *
 * @param options.url Entra ID's own
 * @returns an answer, or nothing where the path is another
 */
export function createEntraEndpoints({
  url,
  issuer,
  tokens,
  secrets,
  now,
}: {
  url: string;
  issuer: string;
  tokens: EntraTokens;
  secrets: EntraSecrets;
  now: () => number;
}): (request: Request) => Promise<Answer> | undefined {
  const tenant = `/${secrets.tenantId}`;

  async function managedIdentity({ headers, query }: Request): Promise<Answer> {
    if (!isSame(headers['x-identity-header'], secrets.identityHeader)) {
      throw new RestError(401, 'Unauthorized', 'X-IDENTITY-HEADER has to be the value of IDENTITY_HEADER.');
    }
    if (query.get('api-version') !== '2019-08-01') {
      throw new RestError(400, 'BadRequest', 'api-version has to be 2019-08-01.');
    }
    const resource = query.get('resource');
    if (!resource) throw new RestError(400, 'BadRequest', 'resource is missing: what the token is for.');
    // Every identity that is asked for is assigned; without a name it is the system's.
    const client = ['client_id', 'principal_id', 'mi_res_id'].map((name) => query.get(name)).find(Boolean);
    const body = {
      access_token: await tokens.issue({ audience: audienceOf(resource), ...(client && { client }) }),
      expires_on: String(Math.floor(now() / 1000) + entraTokenSeconds),
      resource,
      token_type: 'Bearer',
      ...(client && { client_id: client }),
    };
    return { status: 200, headers: { 'cache-control': 'no-store' }, body };
  }

  async function clientCredentials(request: Request): Promise<Answer> {
    const form = new URLSearchParams(request.body.toString());
    if (form.get('grant_type') !== 'client_credentials') return refusal(400, 'unsupported_grant_type');
    const isClient =
      form.get('client_id') === secrets.clientId && isSame(form.get('client_secret'), secrets.clientSecret);
    if (!isClient) return refusal(401, 'invalid_client');
    const resource = /^(\S+)\/\.default$/.exec(form.get('scope') ?? '')?.[1];
    if (resource === undefined) return refusal(400, 'invalid_scope');
    const body = {
      access_token: await tokens.issue({ audience: audienceOf(resource) }),
      expires_in: entraTokenSeconds,
      token_type: 'Bearer',
    };
    return { status: 200, headers: { 'cache-control': 'no-store' }, body };
  }

  const openId = async (): Promise<Answer> => ({
    status: 200,
    body: {
      issuer,
      authorization_endpoint: `${url}${tenant}/oauth2/v2.0/authorize`, // there is none, but clients insist on it
      token_endpoint: `${url}${tenant}/oauth2/v2.0/token`,
      jwks_uri: `${url}${tenant}/discovery/v2.0/keys`,
    },
  });

  return (request) => {
    const { method, path, secure } = request;
    if (method === 'GET' && path === identityPath) return managedIdentity(request);
    if (!secure) return undefined;
    switch (`${method} ${path}`) {
      case `POST ${tenant}/oauth2/v2.0/token`:
        return clientCredentials(request);
      case `GET ${tenant}/v2.0/.well-known/openid-configuration`:
        return openId();
      case `GET ${tenant}/discovery/v2.0/keys`:
        return Promise.resolve({ status: 200, body: tokens.jwks() });
      default:
        return undefined;
    }
  };
}

/** An answer in OAuth's error shape (RFC 6749, 5.2). */
function refusal(status: number, error: string): Answer {
  return { status, body: { error, error_description: `The local Entra ID refuses: ${error}.` } };
}

/** A resource without its final slashes: of the scope https://communication.azure.com//.default one is left. */
const audienceOf = (resource: string) => resource.replace(/\/+$/, '');

function isSame(given: string | string[] | null | undefined, secret: string): boolean {
  const [one, other] = [String(given), secret].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
