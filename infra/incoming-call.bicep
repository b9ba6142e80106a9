metadata description = 'The subscription that tells the app of incoming calls. It can be created only while the app answers the validation handshake.'

@description('Name of the system topic, in this group.')
param topicName string

@description('Name of the subscription.')
param name string

@description('Where events are posted.')
@secure()
param endpointUrl string

@description('What each delivery carries in x-event-grid-key.')
@secure()
param eventGridKey string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName

  resource subscription 'eventSubscriptions' = {
    name: name
    properties: {
      eventDeliverySchema: 'EventGridSchema'
      filter: { includedEventTypes: ['Microsoft.Communication.IncomingCall'] }
      // A call rings for 30 seconds: an event that comes later is of no use.
      retryPolicy: { maxDeliveryAttempts: 2, eventTimeToLiveInMinutes: 1 }
      destination: {
        endpointType: 'WebHook'
        properties: {
          endpointUrl: endpointUrl
          maxEventsPerBatch: 1
          minimumTlsVersionAllowed: '1.2'
          deliveryAttributeMappings: [
            {
              name: 'x-event-grid-key'
              type: 'Static'
              // During a rotation the secret holds two, with a comma between: the app takes both.
              properties: { value: first(split(eventGridKey, ',')), isSecret: true }
            }
          ]
        }
      }
    }
  }
}

@description('Resource id of the subscription.')
output id string = topic::subscription.id
