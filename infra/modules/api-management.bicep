// The door for callers on the internet. It knows no caller: the archive checks keys and grants itself.
import { apiManagementOptions, diagnosticsName, resourceTags } from '../types.bicep'

@description('Name.')
param name string
@description('Region.')
param location string
@description('Tags.')
param tags resourceTags
@description('Tier and limits.')
param options apiManagementOptions
@description('Spread over the availability zones.')
param zoneRedundant bool
@description('Subnet of the outbound traffic. Without one, the archive must have a public address.')
param subnetId string?
@description('Host name of the Function App.')
param backendHost string
@description('Log Analytics workspace.')
param workspaceId string

// The archive itself answers 413 from 5 MiB on. What is longer than this does not reach it.
// An address may be that of a broker with several keys.
var values = {
  'largest-body': '8388608'
  'calls-per-minute': string(options.callsPerMinute)
  'calls-per-minute-of-an-address': string(10 * options.callsPerMinute)
}
// No header, no query and no body is in a log.
var logged = {
  request: { headers: [], body: { bytes: 0 }, dataMasking: masking }
  response: { headers: [], body: { bytes: 0 }, dataMasking: masking }
}
var masking = {
  headers: [{ value: 'x-tax-code', mode: 'Hide' }, { value: 'Ocp-Apim-Subscription-Key', mode: 'Hide' }]
  queryParams: [{ value: '*', mode: 'Hide' }]
}

resource service 'Microsoft.ApiManagement/service@2024-05-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: options.sku, capacity: options.units }
  zones: zoneRedundant && options.sku == 'PremiumV2' ? ['1', '2', '3'] : null
  properties: {
    publisherName: options.publisherName
    publisherEmail: options.publisherEmail
    publicNetworkAccess: 'Enabled'
    virtualNetworkType: subnetId == null ? 'None' : 'External'
    virtualNetworkConfiguration: subnetId == null ? null : { subnetResourceId: subnetId }
    customProperties: {
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls10': 'false'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls11': 'false'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Ssl30': 'false'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols.Tls10': 'false'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols.Tls11': 'false'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols.Ssl30': 'false'
    }
  }
}

resource namedValues 'Microsoft.ApiManagement/service/namedValues@2024-05-01' = [
  for each in items(values): {
    parent: service
    name: each.key
    properties: { displayName: each.key, value: each.value, secret: false }
  }
]

resource backend 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: service
  name: 'archive'
  properties: {
    description: 'The Function App of the archive.'
    protocol: 'http'
    url: 'https://${backendHost}/api'
    tls: { validateCertificateChain: true, validateCertificateName: true }
  }
}

resource api 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: service
  name: 'archive'
  properties: {
    displayName: 'Archivio Centralizzato Avvisi'
    path: 'api'
    protocols: ['https']
    format: 'openapi+json'
    value: string(loadJsonContent('../../contract/openapi.json'))
    // The key in Ocp-Apim-Subscription-Key is the archive's. So the gateway's own, which nobody needs, have other names.
    subscriptionRequired: false
    subscriptionKeyParameterNames: { header: 'X-Gateway-Key', query: 'gateway-key' }
  }

  resource policy 'policies' = {
    name: 'policy'
    properties: { format: 'xml', value: loadTextContent('../apim/policy.xml') }
    dependsOn: [namedValues, backend]
  }

  resource logging 'diagnostics' = {
    name: 'azuremonitor'
    properties: {
      loggerId: logger.id
      alwaysLog: 'allErrors'
      verbosity: 'information'
      logClientIp: false
      sampling: { samplingType: 'fixed', percentage: 100 }
      frontend: logged
      backend: logged
    }
  }
}

resource logger 'Microsoft.ApiManagement/service/loggers@2024-05-01' = {
  parent: service
  name: 'azuremonitor'
  properties: { loggerType: 'azureMonitor', isBuffered: true }
}

resource product 'Microsoft.ApiManagement/service/products@2024-05-01' = {
  parent: service
  name: 'archive'
  properties: {
    displayName: 'Archivio Centralizzato Avvisi'
    description: 'For callers that are registered in the archive. The operators of the archive give the key.'
    subscriptionRequired: false
    state: 'published'
  }
}

resource productApi 'Microsoft.ApiManagement/service/products/apiLinks@2024-05-01' = {
  parent: product
  name: 'archive'
  properties: { apiId: api.id }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: diagnosticsName
  scope: service
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Address of the gateway.')
output address string = service.properties.gatewayUrl
