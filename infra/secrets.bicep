metadata description = 'The vault and the two secrets that nobody ever types: made once, kept on every later deployment.'

import { textByName } from 'types.bicep'

@description('Name of the vault.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags textByName

@description('Object id of the identity that reads the secrets.')
param readerPrincipalId string

@description('Workspace for the audit log.')
param workspaceId string

@description('Resource id of the Communication Services resource whose key is stored; empty where the app uses its identity.')
param acsKeyOf string

@description('New on every deployment, used on the first only.')
@secure()
param eventGridKey string = replace('${newGuid()}${newGuid()}', '-', '')

@description('New on every deployment, used on the first only.')
@secure()
param callSigningKey string = replace('${newGuid()}${newGuid()}', '-', '')

var keyVaultSecretsUser = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  '4633458b-17de-408a-b874-0445c86b69e6'
)
var acsParts = split(acsKeyOf, '/')

resource acs 'Microsoft.Communication/communicationServices@2026-03-18' existing = if (!empty(acsKeyOf)) {
  scope: resourceGroup(acsParts[?2] ?? subscription().subscriptionId, acsParts[?4] ?? resourceGroup().name)
  name: last(acsParts)
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enabledForTemplateDeployment: true
    enableSoftDelete: true
    // No purge protection: azd down --purge frees the name, and the same environment can come up again.
    softDeleteRetentionInDays: 7
    publicNetworkAccess: 'Enabled'
  }

  // Two writes at once to a vault collide: each secret waits for the one before it.
  @onlyIfNotExists()
  resource eventGrid 'secrets' = {
    name: 'event-grid-key'
    properties: { value: eventGridKey, contentType: 'text/plain' }
  }

  @onlyIfNotExists()
  resource callSigning 'secrets' = {
    name: 'call-signing-key'
    properties: { value: callSigningKey, contentType: 'text/plain' }
    dependsOn: [eventGrid]
  }

  resource acsConnection 'secrets' = if (!empty(acsKeyOf)) {
    name: 'acs-connection-string'
    properties: { value: acs!.listKeys().primaryConnectionString, contentType: 'text/plain' }
    dependsOn: [callSigning]
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, readerPrincipalId, keyVaultSecretsUser)
  properties: {
    principalId: readerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: keyVaultSecretsUser
  }
}

#disable-next-line use-recent-api-versions // The only stable version is of 2016.
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

// References by name carry no version: App Service takes up a rotated secret within a day.
@description('Reference that App Service resolves for EVENT_GRID_KEY.')
output eventGridKeyReference string = '@Microsoft.KeyVault(VaultName=${vault.name};SecretName=${vault::eventGrid.name})'

@description('Reference that App Service resolves for CALL_SIGNING_KEY.')
output callSigningKeyReference string = '@Microsoft.KeyVault(VaultName=${vault.name};SecretName=${vault::callSigning.name})'

@description('Reference that App Service resolves for ACS_CONNECTION_STRING; empty where the app uses its identity.')
output acsConnectionReference string = empty(acsKeyOf)
  ? ''
  : '@Microsoft.KeyVault(VaultName=${vault.name};SecretName=${vault::acsConnection.name})'
