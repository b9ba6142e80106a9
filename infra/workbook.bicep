metadata description = 'A workbook with the five questions of an operator, and a search for one call.'

import { textByName } from 'types.bicep'

@description('Region.')
param location string

@description('Tags.')
param tags textByName

@description('Resource id of the Application Insights component that it opens from, in lower case: the portal compares letter by letter.')
param componentId string

@description('Resource id of the workspace that its queries run in.')
param workspaceId string

var chartsOf = [
  {
    name: 'refusals'
    title: 'Who was refused, when, why, how often'
    query: loadTextContent('queries/refusals.kql')
    value: 'Refused'
    group: 'Reason'
  }
  {
    name: 'speed'
    title: 'How fast: the value that 95 % stay below'
    query: loadTextContent('queries/speed.kql')
    value: 'Most'
    group: 'Measure'
  }
  {
    name: 'health'
    title: 'Keys, cap, draining'
    query: loadTextContent('queries/health.kql')
    value: 'Value'
    group: 'Measure'
  }
  {
    name: 'cost'
    title: 'CPU, memory, event-loop delay'
    query: loadTextContent('queries/cost.kql')
    value: 'Average'
    group: 'Measure'
  }
]

var inWorkspace = {
  version: 'KqlItem/1.0'
  size: 0
  queryType: 0
  resourceType: 'microsoft.operationalinsights/workspaces'
  crossComponentResources: [workspaceId]
  timeContextFromParameter: 'TimeRange'
}

var parameters = {
  type: 9
  name: 'parameters'
  content: {
    version: 'KqlParameterItem/1.0'
    style: 'pills'
    queryType: 0
    resourceType: inWorkspace.resourceType
    parameters: [
      {
        id: guid('TimeRange')
        version: 'KqlParameterItem/1.0'
        name: 'TimeRange'
        label: 'Time range'
        type: 4
        isRequired: true
        value: { durationMs: 86400000 }
        typeSettings: {
          allowCustom: true
          selectableValues: map([1, 4, 24, 72, 168, 720], hours => { durationMs: hours * 3600000 })
        }
      }
      {
        id: guid('CorrelationId')
        version: 'KqlParameterItem/1.0'
        name: 'CorrelationId'
        label: 'Correlation id of a call'
        type: 1
        isRequired: false
        value: ''
      }
    ]
  }
}

var call = {
  type: 3
  name: 'call'
  content: union(inWorkspace, {
    title: 'The call with this correlation id'
    query: loadTextContent('queries/call.kql')
    visualization: 'table'
  })
  conditionalVisibility: { parameterName: 'CorrelationId', comparison: 'isNotEqualTo', value: '' }
}

// Each question as a chart, and beside it the rows that the chart is made of.
var charts = map(chartsOf, chart => [
  {
    type: 3
    name: chart.name
    customWidth: '60'
    content: union(inWorkspace, {
      title: chart.title
      query: chart.query
      visualization: 'timechart'
      chartSettings: { xAxis: 'TimeGenerated', yAxis: [chart.value], group: chart.group, showLegend: true }
    })
  }
  {
    type: 3
    name: '${chart.name}-rows'
    customWidth: '40'
    content: union(inWorkspace, { title: '${chart.title}: rows', query: chart.query, visualization: 'table' })
  }
])

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // Azure wants a GUID.
  name: guid(componentId, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Callgate'
    category: 'workbook'
    sourceId: componentId
    version: 'Notebook/1.0'
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat([parameters, call], flatten(charts))
      fallbackResourceIds: [componentId]
      '$schema': 'https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json'
    })
  }
}

@description('Resource id of the workbook.')
output id string = workbook.id
