// The app. Its runtime and package are in functionAppConfig: Flex Consumption takes neither from app settings.
import { appSize, diagnosticsName, resourceTags } from '../types.bicep'

@description('Name.')
param name string
@description('Name of the plan.')
param planName string
@description('Region.')
param location string
@description('Tags.')
param tags resourceTags
@description('Capacity.')
param size appSize
@description('Spread over the availability zones.')
param zoneRedundant bool
@description('Identity of the app.')
param identityId string
@description('Client id of this identity.')
param identityClientId string
@description('Subnet of its outbound traffic. Without one, the app has a public address.')
param subnetId string?
@description('Storage account of the host.')
param storageAccountName string
@description('Address of the container of the package.')
param packageUrl string
@description('Address of the Cosmos DB account.')
param cosmosEndpoint string
@description('Database of the archive.')
param databaseName string
@description('Host name of the Service Bus namespace.')
param serviceBusHost string
@description('Address of the secret with the debtor keys, without a version. The app finds a new version within a day.')
param debtorKeysUri string
@description('Seconds that a request may take before it is answered 503.')
param storeBudgetSeconds string
@description('Hours after which a paid notice that was not communicated is reported.')
param awaitedHours string
@description('Address of Application Insights.')
param insightsAddress string
@description('Log Analytics workspace.')
param workspaceId string

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: { ...tags, 'azd-service-name': 'api' }
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: subnetId == null ? 'Enabled' : 'Disabled'
    virtualNetworkSubnetId: subnetId
    outboundVnetRouting: subnetId == null ? null : { allTraffic: true }
    keyVaultReferenceIdentity: identityId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      remoteDebuggingEnabled: false
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: {
        instanceMemoryMB: size.instanceMemoryMB
        maximumInstanceCount: size.maximumInstanceCount
        alwaysReady: size.alwaysReady
        triggers: { http: { perInstanceConcurrency: size.httpConcurrency } }
      }
    }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: {
      // Of the archive: shared/settings.py reads them.
      COSMOS__accountEndpoint: cosmosEndpoint
      COSMOS__credential: 'managedidentity'
      COSMOS__clientId: identityClientId
      COSMOS_DATABASE: databaseName
      SERVICEBUS__fullyQualifiedNamespace: serviceBusHost
      SERVICEBUS__credential: 'managedidentity'
      SERVICEBUS__clientId: identityClientId
      DEBTOR_KEYS: '@Microsoft.KeyVault(SecretUri=${debtorKeysUri})'
      STORE_BUDGET_SECONDS: storeBudgetSeconds
      AWAITED_HOURS: awaitedHours
      // Of the platform.
      AzureWebJobsStorage__accountName: storageAccountName
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      APPLICATIONINSIGHTS_CONNECTION_STRING: insightsAddress
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
      AzureWebJobsDisableHomepage: 'true'
    }
  }

  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: diagnosticsName
  scope: app
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource planDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: diagnosticsName
  scope: plan
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('App id.')
output id string = app.id
@description('Host name.')
output hostName string = app.properties.defaultHostName
