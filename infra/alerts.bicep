metadata description = 'Alerts by e-mail, where an address is given.'

import { textByName } from 'types.bicep'

@description('Name that the alerts begin with.')
param name string

@description('Region of the alerts on logs; the others are global.')
param location string

@description('Tags.')
param tags textByName

@description('Where alerts go.')
param email string

@description('Resource id of the workspace.')
param workspaceId string

@description('Resource id of the site.')
param siteId string

@description('Resource id of the system topic; empty where it is not in this group.')
param topicId string

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'callgate'
    emailReceivers: [{ name: 'email', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource errors 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: '${name}-5xx'
  location: 'global'
  tags: tags
  properties: {
    description: 'The app answered with 5xx.'
    severity: 2
    enabled: true
    scopes: [siteId]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'errors'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'Http5xx'
          operator: 'GreaterThan'
          threshold: 5
          timeAggregation: 'Total'
        }
      ]
    }
    actions: [{ actionGroupId: people.id }]
  }
}

resource missed 'Microsoft.Insights/metricAlerts@2026-01-01' = if (!empty(topicId)) {
  name: '${name}-missed-calls'
  location: 'global'
  tags: tags
  properties: {
    description: 'An incoming call never reached the app.'
    severity: 1
    enabled: true
    scopes: [topicId]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'dropped'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'DroppedEventCount'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
        }
      ]
    }
    actions: [{ actionGroupId: people.id }]
  }
}

module logAlerts 'log-alerts.bicep' = {
  params: {
    name: name
    location: location
    tags: tags
    workspaceId: workspaceId
    actionGroupId: people.id
  }
}
