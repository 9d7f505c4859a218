// All logs, traces and metrics come to one workspace. Only identities write to it: keys are off.
import { diagnosticsName, logSize, resourceTags, roles } from '../types.bicep'

@description('Beginning of the names.')
param baseName string
@description('Region.')
param location string
@description('Tags.')
param tags resourceTags
@description('Retention and limit.')
param size logSize
@description('Lock the workspace.')
param preventDeletion bool
@description('E-mail addresses of the people on call.')
param alertEmails string[]
@description('Object id of the identity of the app.')
param appId string
@description('Name of this identity. The names of the role assignments are made from it, so that they are known before.')
param appName string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: '${baseName}-log'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: size.retentionDays
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
    workspaceCapping: { dailyQuotaGb: size.dailyQuotaGb }
    publicNetworkAccessForIngestion: 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: '${baseName}-appi'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
    DisableIpMasking: false
    publicNetworkAccessForIngestion: 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

resource publishTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, appName, roles.monitoringMetricsPublisher)
  scope: insights
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.monitoringMetricsPublisher
    )
    principalId: appId
    principalType: 'ServicePrincipal'
    description: 'The app sends its telemetry.'
  }
}

resource onCall 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${baseName}-ag'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'avvisi'
    enabled: true
    emailReceivers: [
      for (address, i) in alertEmails: {
        name: 'on-call-${i}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (preventDeletion) {
  name: 'no-delete'
  scope: workspace
  properties: {
    level: 'CanNotDelete'
    notes: 'The logs prove who read and wrote the notices.'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: diagnosticsName
  scope: workspace
  properties: {
    workspaceId: workspace.id
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Workspace id.')
output workspaceId string = workspace.id
@description('Application Insights id.')
output insightsId string = insights.id
@description('Address of Application Insights. It is no secret: keys are off.')
output insightsAddress string = insights.properties.ConnectionString
@description('Action group id.')
output actionGroupId string = onCall.id
