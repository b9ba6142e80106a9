metadata description = 'Alerts on what the app reports of itself.'

import { textByName } from 'types.bicep'

@description('Name that the alerts begin with.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags textByName

@description('Resource id of the workspace that the queries run in.')
param workspaceId string

@description('Resource id of the action group that is told.')
param actionGroupId string

// Ingestion lags by minutes, so a window is longer than the five minutes between two looks at it.
var rules = [
  {
    name: 'refusals'
    description: 'Requests of ACS or Event Grid are refused: calls fail. The reason is the dimension.'
    severity: 2
    query: loadTextContent('queries/alert-refusals.kql')
    windowSize: 'PT15M'
    measure: { timeAggregation: 'Count', threshold: 5 }
    by: ['Reason']
  }
  {
    name: 'keys'
    description: 'The keys that verify tokens cannot be fetched. Known ones serve on for a day.'
    severity: 1
    query: loadTextContent('queries/alert-keys.kql')
    windowSize: 'PT15M'
    measure: { timeAggregation: 'Total', metricMeasureColumn: 'Failed', threshold: 2 }
    by: []
  }
  {
    name: 'answers'
    description: 'Calls are announced, and answering them fails. The status that ACS gave is the dimension.'
    severity: 1
    query: loadTextContent('queries/alert-answers.kql')
    windowSize: 'PT15M'
    measure: { timeAggregation: 'Count', threshold: 2 }
    by: ['Status']
  }
  {
    name: 'event-loop'
    description: 'The event loop is late by more than 100 ms, and with it audio: too many calls, or a handler that computes.'
    severity: 2
    query: loadTextContent('queries/alert-event-loop.kql')
    windowSize: 'PT10M'
    measure: { timeAggregation: 'Average', metricMeasureColumn: 'DelayMs', threshold: 100 }
    by: ['Instance']
  }
]

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: '${name}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Callgate: ${rule.name}'
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: 'PT5M'
      windowSize: rule.windowSize
      criteria: {
        allOf: [
          union(rule.measure, {
            query: rule.query
            operator: 'GreaterThan'
            dimensions: map(rule.by, column => { name: column, operator: 'Include', values: ['*'] })
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          })
        ]
      }
      autoMitigate: true
      // A table exists once the app has sent its first record, which is after the rules are made.
      skipQueryValidation: true
      actions: { actionGroups: [actionGroupId] }
    }
  }
]
