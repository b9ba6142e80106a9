metadata description = 'A new Communication Services resource, for those who bring none.'

import { textByName } from 'types.bicep'

@description('Name of the resource.')
param name string

@description('Tags.')
param tags textByName

@description('Where data at rest stays.')
param dataLocation string

@description('Whether access keys are off.')
param disableLocalAuth bool

@description('Workspace for the operational logs.')
param workspaceId string

resource acs 'Microsoft.Communication/communicationServices@2026-03-18' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    dataLocation: dataLocation
    disableLocalAuth: disableLocalAuth
  }
}

#disable-next-line use-recent-api-versions // The only stable version is of 2016.
resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: acs
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    // What was asked of Call Automation and how it ended: neither numbers nor URLs.
    logs: [
      { category: 'CallAutomationOperational', enabled: true }
      { category: 'CallAutomationMediaSummary', enabled: true }
      { category: 'AuthOperational', enabled: true }
    ]
  }
}

@description('Resource id.')
output id string = acs.id
