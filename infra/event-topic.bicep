metadata description = 'The system topic of the Communication Services resource: in its subscription, and one at most.'

import { textByName } from 'types.bicep'

@description('Name of the topic.')
param name string

@description('Tags.')
param tags textByName

@description('Resource id of the Communication Services resource.')
param acsResourceId string

@description('Workspace for delivery failures.')
param workspaceId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    source: acsResourceId
    topicType: 'Microsoft.Communication.CommunicationServices'
  }
}

#disable-next-line use-recent-api-versions // The only stable version is of 2016.
resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: topic
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

@description('Name of the topic.')
output name string = topic.name

@description('Resource id of the topic.')
output id string = topic.id
