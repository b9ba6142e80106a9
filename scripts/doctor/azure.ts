import {
  AzureCliCredential,
  AzureDeveloperCliCredential,
  ChainedTokenCredential,
  type TokenCredential,
} from '@azure/identity';
import { ask } from './ask.ts';

/** A resource that couldn't be read. `why` tells what is missing from what can't be told. */
export class AzureError extends Error {
  override readonly name = 'AzureError';
  readonly why: 'no sign-in' | 'no permission' | 'not there' | 'failed';

  constructor(why: AzureError['why'], message: string = why) {
    super(message);
    this.why = why;
  }
}

/** Azure Resource Manager, read only. */
export interface Azure {
  /**
   * @param id of a resource, or of a list below one
   * @throws {AzureError} or {@link NoAnswer}
   */
  get(id: string, apiVersion: string): Promise<unknown>;
}

const idShape = /^\/subscriptions\/[\da-f-]{36}\/resourceGroups\/[\w.()-]+\/providers(\/[\w.-]+){2,}$/i;

/** Nothing else becomes part of a URL that a token is sent to. */
const isResourceId = (id: string) => idShape.test(id) && !id.includes('/.');

/**
 * @param options.credential whose eyes to look with
 * @param options.baseUrl where Azure Resource Manager is
 * @param options.patienceMs for one answer, in milliseconds
 */
export function createAzure({
  credential,
  baseUrl = 'https://management.azure.com',
  patienceMs,
}: {
  credential: TokenCredential;
  baseUrl?: string;
  patienceMs: number;
}): Azure {
  let signedIn: Promise<string> | undefined;

  async function signIn(): Promise<string> {
    try {
      const abortSignal = AbortSignal.timeout(patienceMs);
      const token = await credential.getToken('https://management.azure.com/.default', { abortSignal });
      if (token) return token.token;
    } catch {
      // Why is the CLI's to say: its messages can hold names of accounts and tenants.
    }
    throw new AzureError('no sign-in');
  }

  return {
    async get(id, apiVersion) {
      if (!isResourceId(id)) throw new AzureError('not there', 'that is no resource id');
      signedIn ??= signIn();
      const url = new URL(`${id}?api-version=${apiVersion}`, baseUrl);
      const { status, json } = await ask(url, patienceMs, {
        headers: { authorization: `Bearer ${await signedIn}`, accept: 'application/json' },
      });
      if (status === 200) return json;
      if (status === 401 || status === 403) throw new AzureError('no permission');
      throw status === 404 ? new AzureError('not there') : new AzureError('failed', `status ${status}`);
    },
  };
}

/**
 * The sign-in of whoever runs this: azd's, else that of the Azure CLI. Without either it fails at once, where
 * DefaultAzureCredential would look for a managed identity first.
 */
export function userCredential(tenantId: string | undefined, patienceMs: number): TokenCredential {
  const options = { processTimeoutInMs: patienceMs, ...(tenantId !== undefined && { tenantId }) };
  return new ChainedTokenCredential(
    new AzureDeveloperCliCredential(options),
    new AzureCliCredential(options),
  );
}
