targetScope = 'subscription'

metadata description = 'Callgate on Azure: one resource group with all of it, or an existing Communication Services resource beside it.'

@description('Name of the azd environment; every name derives from it.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of everything but Communication Services and Event Grid, which are global.')
@minLength(1)
@metadata({ azd: { type: 'location' } })
param location string

@description('Resource id of a Communication Services resource to use; empty to create one.')
param acsResourceId string = ''

@description('Where a new Communication Services resource keeps data at rest.')
param acsDataLocation dataLocationType = 'United States'

@description('How the app signs in to Communication Services.')
param acsAuth acsAuthType = 'identity'

@description('Name of the Event Grid system topic that an existing Communication Services resource has, in the same group; empty if it has none.')
param eventGridTopicName string = ''

@description('Whether the app is deployed and answers the handshake: azd up sets it between its two provisions.')
param incomingCallsReady bool = false

@description('SKU of the App Service plan. Basic takes 350 WebSockets, so 300 calls.')
param appServiceSku skuType = 'B1'

@description('Whether only the published addresses of Communication Services and Event Grid may reach the app.')
param restrictAccess bool = false

@description('Where alerts go; empty for none.')
param alertEmail string = ''

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Most gigabytes of logs a day; -1 for no limit.')
param logDailyQuotaGb int = 1

@description('Data locations of Communication Services.')
type dataLocationType =
  | 'Africa'
  | 'Asia Pacific'
  | 'Australia'
  | 'Brazil'
  | 'Canada'
  | 'Europe'
  | 'France'
  | 'Germany'
  | 'India'
  | 'Japan'
  | 'Korea'
  | 'Norway'
  | 'Switzerland'
  | 'UAE'
  | 'UK'
  | 'United States'

@description('With its own identity, or with the access key from the vault.')
type acsAuthType = 'identity' | 'key'

@description('SKUs that keep an app always on.')
type skuType = 'B1' | 'B2' | 'B3' | 'P0v3' | 'P1v3' | 'P2v3' | 'P3v3' | 'P0v4' | 'P1v4' | 'P2v4'

var groupName = 'rg-callgate-${environmentName}'
var tags = { 'azd-env-name': environmentName }
// With the group's name in it: another project's environment of the same name gets other names.
var token = uniqueString(subscription().id, groupName, location)
var vaultName = 'kv-${token}'
var useKey = acsAuth == 'key'
var basic = startsWith(appServiceSku, 'B')

var newAcs = empty(acsResourceId)
var acsParts = split(acsResourceId, '/')
var acsName = newAcs ? 'acs-${token}' : last(acsParts)
var acsSubscription = acsParts[?2] ?? subscription().subscriptionId
var acsGroup = acsParts[?4] ?? groupName

// A system topic has to be in its source's subscription. Where that is ours it stays in our group, which azd down deletes.
var newTopic = empty(eventGridTopicName)
var topicIsHere = newTopic && toLower(acsSubscription) == toLower(subscription().subscriptionId)
var topicSubscription = topicIsHere ? subscription().subscriptionId : acsSubscription
var topicGroup = topicIsHere ? groupName : acsGroup

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: groupName
  location: location
  tags: tags
}

module identity 'identity.bicep' = {
  scope: group
  params: { name: 'id-${token}', location: location, tags: tags }
}

module monitoring 'monitoring.bicep' = {
  scope: group
  params: {
    workspaceName: 'log-${token}'
    componentName: 'appi-${token}'
    location: location
    tags: tags
    publisherPrincipalId: identity.outputs.principalId
    retentionInDays: logRetentionDays
    dailyQuotaGb: logDailyQuotaGb
  }
}

module communication 'communication.bicep' = if (newAcs) {
  scope: group
  params: {
    name: acsName
    tags: tags
    dataLocation: acsDataLocation
    disableLocalAuth: !useKey
    workspaceId: monitoring.outputs.workspaceId
  }
}

module communicationAccess 'communication-access.bicep' = {
  scope: resourceGroup(acsSubscription, acsGroup)
  params: {
    name: acsName
    callerPrincipalId: identity.outputs.principalId
    assignRole: !useKey
  }
  dependsOn: [communication]
}

module secrets 'secrets.bicep' = {
  scope: group
  params: {
    name: vaultName
    location: location
    tags: tags
    readerPrincipalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    acsKeyOf: !useKey ? '' : newAcs ? communication!.outputs.id : acsResourceId
  }
}

module web 'web.bicep' = {
  scope: group
  params: {
    planName: 'plan-${token}'
    siteName: 'app-${token}'
    location: location
    tags: tags
    sku: appServiceSku
    identityId: identity.outputs.id
    restrictAccess: restrictAccess
    workspaceId: monitoring.outputs.workspaceId
    settings: union(
      {
        ACS_AUDIENCE: communicationAccess.outputs.audience
        APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
        AZURE_CLIENT_ID: identity.outputs.clientId
        CALL_SIGNING_KEY: secrets.outputs.callSigningKeyReference
        // With the 8 s that the app takes to hang up and flush, less than the platform's limit below.
        DRAIN_SECONDS: '100'
        EVENT_GRID_KEY: secrets.outputs.eventGridKeyReference
        MAX_CALLS: basic ? '300' : '500'
        NODE_ENV: 'production'
        // The build installs neither the Node binary (optional, 190 MB) nor tools. Omit replaces the "dev" that
        // NODE_ENV stands for, and one setting can't hold both, so production brings it back.
        NPM_CONFIG_OMIT: 'optional'
        NPM_CONFIG_PRODUCTION: 'true'
        OTEL_SERVICE_NAME: 'callgate'
        SCM_DO_BUILD_DURING_DEPLOYMENT: 'true'
        TELEMETRY_AUTH: 'identity'
        WEBSITES_CONTAINER_STOP_TIME_LIMIT: '120'
      },
      useKey
        ? { ACS_CONNECTION_STRING: secrets.outputs.acsConnectionReference }
        : { ACS_ENDPOINT: communicationAccess.outputs.endpoint }
    )
  }
}

module topic 'event-topic.bicep' = if (newTopic) {
  scope: resourceGroup(topicSubscription, topicGroup)
  params: {
    name: 'evgt-${token}'
    tags: tags
    acsResourceId: newAcs ? communication!.outputs.id : acsResourceId
    workspaceId: monitoring.outputs.workspaceId
  }
}

// Read back rather than passed along: the vault keeps its first value, a deployment makes a new one each time.
resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  scope: group
  name: vaultName
}

// Only on the second provision: the vault exists by then, and the app answers the handshake.
module incomingCall 'incoming-call.bicep' = if (incomingCallsReady) {
  scope: resourceGroup(topicSubscription, topicGroup)
  params: {
    topicName: newTopic ? topic!.outputs.name : eventGridTopicName
    name: 'incoming-call-${token}'
    endpointUrl: 'https://${web.outputs.hostName}/api/incoming-call'
    eventGridKey: vault.getSecret('event-grid-key')
  }
}

module alerts 'alerts.bicep' = if (!empty(alertEmail)) {
  scope: group
  params: {
    name: 'alert-${token}'
    location: location
    tags: tags
    email: alertEmail
    workspaceId: monitoring.outputs.workspaceId
    siteId: web.outputs.siteId
    topicId: topicIsHere ? topic!.outputs.id : ''
  }
}

@description('Group that azd looks for the app in.')
output AZURE_RESOURCE_GROUP string = groupName

@description('Where the app is.')
output APP_URL string = 'https://${web.outputs.hostName}'

@description('What tokens for the app name as their audience.')
output ACS_AUDIENCE string = communicationAccess.outputs.audience

@description('The subscription that announces calls; empty until there is one.')
output EVENT_SUBSCRIPTION_ID string = incomingCallsReady ? incomingCall!.outputs.id : ''

@description('The workbook: what happens on calls.')
output WORKBOOK_URL string = '${environment().portal}/#@${tenant().tenantId}/resource${monitoring.outputs.workbookId}/workbook'

@description('Handed back so that azd down removes it from the environment.')
output INCOMING_CALLS_READY bool = incomingCallsReady

@description('What is left to do; azd up shows it at its end.')
output NEXT_STEP string = !incomingCallsReady
  ? 'Calls are not announced to the app yet: run azd up.'
  : 'Callgate answers the calls of ${acsName}. Give that resource a phone number, or connect Teams Phone to it (docs/azure.md: A number to call), and call. npm run doctor says whether all is well.'
