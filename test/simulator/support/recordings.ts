import type { CallAutomationClientOptions } from '@azure/communication-call-automation';

type Policy = NonNullable<CallAutomationClientOptions['additionalPolicies']>[number];

/** Lets a client find the storage, which is at a host of ACS's as far as the SDK may know. */
export const findStorage = (url: string): Policy => ({
  position: 'perRetry',
  policy: {
    name: 'local-recordings',
    sendRequest(request, next) {
      const location = request.headers.get('OriginalUrl');
      if (location !== undefined) {
        request.headers.set('OriginalUrl', url + new URL(location).pathname);
        request.allowInsecureConnection = true;
      }
      return next(request);
    },
  },
});
