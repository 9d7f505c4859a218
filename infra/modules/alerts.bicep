// One table for the metrics of the platform and one for the log. Each alert has a runbook of the same name, and all of
// them notify the same people.
import { alertLimits, resourceTags } from '../types.bicep'

@description('Beginning of the names.')
param baseName string
@description('Region.')
param location string
@description('Tags.')
param tags resourceTags
@description('Limits of this environment.')
param limits alertLimits
@description('Who is notified.')
param actionGroupId string
@description('Cosmos DB account.')
param cosmosId string
@description('Whether the account has RU/s that can be used up.')
param isAutoscale bool
@description('Service Bus namespace.')
param serviceBusId string
@description('Workspace of the logs.')
param workspaceId string
@description('Application Insights, which asks the health address from outside.')
param insightsId string
@description('Whether the health address can be reached from the internet, and is asked from there.')
param isProbed bool
@description('Health address.')
param healthUrl string

var messaging = loadJsonContent('../messaging.json')
var runbooks = 'https://github.com/pagopa/archivio-centralizzato-avvisi/blob/main/docs/runbooks'
var cosmos = { id: cosmosId, namespace: 'Microsoft.DocumentDB/databaseAccounts' }
var serviceBus = { id: serviceBusId, namespace: 'Microsoft.ServiceBus/namespaces' }

var throttled = {
  name: 'cosmos-throttled'
  description: 'Cosmos DB refuses requests with 429, and the archive repeats them.'
  severity: 2
  resource: cosmos
  metric: 'TotalRequests'
  aggregation: 'Count'
  threshold: 100
  dimensions: { StatusCode: ['429'], CollectionName: objectKeys(loadJsonContent('../data.json').containers) }
}
var usedUp = {
  name: 'cosmos-ru'
  description: 'A container uses more than 90 % of its RU/s. Requests are refused soon.'
  severity: 3
  resource: cosmos
  metric: 'NormalizedRUConsumption'
  aggregation: 'Maximum'
  threshold: 90
  dimensions: { CollectionName: objectKeys(loadJsonContent('../data.json').containers) }
}
var deadLetters = {
  name: 'dead-letters'
  description: 'A message became a dead letter: an inbound event that failed 10 times, or an event that a subscriber did not take.'
  severity: 2
  resource: serviceBus
  metric: 'DeadletteredMessages'
  aggregation: 'Maximum'
  threshold: 0
  dimensions: { EntityName: concat(objectKeys(messaging.queues), objectKeys(messaging.topics)) }
}
var rejected = {
  name: 'rejected-messages'
  description: 'An inbound event can never be applied as it is. An operator must look at it.'
  severity: 3
  resource: serviceBus
  metric: 'ActiveMessages'
  aggregation: 'Maximum'
  threshold: 0
  dimensions: { EntityName: ['inbound-rejected'] }
}
var queueAge = {
  name: 'queue-age'
  description: 'More inbound events wait than come in five minutes. Service Bus has no metric of their age.'
  severity: 2
  resource: serviceBus
  metric: 'ActiveMessages'
  aggregation: 'Minimum'
  threshold: limits.waitingMessages
  dimensions: { EntityName: ['inbound-events'] }
}
var metrics = concat([throttled], isAutoscale ? [usedUp] : [], [deadLetters, rejected, queueAge])

var queries = [
  {
    name: 'availability'
    description: 'More than 1 % of the requests were answered with 5xx.'
    severity: 1
    query: loadTextContent('../alerts/availability.kql')
    column: 'unavailable'
    operator: 'GreaterThan'
    threshold: 1
    window: 'PT15M'
    enabled: true
  }
  {
    name: 'latency-p95'
    description: 'The slowest 5 % of the requests take longer than they may.'
    severity: 2
    query: loadTextContent('../alerts/latency-p95.kql')
    column: 'milliseconds'
    operator: 'GreaterThan'
    threshold: limits.p95Milliseconds
    window: 'PT15M'
    enabled: true
  }
  {
    name: 'http-5xx'
    description: 'Requests were answered with 5xx.'
    severity: 2
    query: loadTextContent('../alerts/http-5xx.kql')
    column: 'failed'
    operator: 'GreaterThan'
    threshold: 10
    window: 'PT15M'
    enabled: true
  }
  {
    name: 'no-traffic'
    description: 'No request came for an hour. Callers may not reach the archive.'
    severity: 2
    query: loadTextContent('../alerts/no-traffic.kql')
    column: 'requests'
    operator: 'LessThan'
    threshold: 1
    window: 'PT1H'
    enabled: limits.expectsTraffic
  }
  {
    name: 'relay-lag'
    description: 'Events wait for more than five minutes to be sent, or the relay stands still or fails.'
    severity: 1
    query: loadTextContent('../alerts/relay-lag.kql')
    column: 'seconds'
    operator: 'GreaterThan'
    threshold: 300
    window: 'PT15M'
    enabled: true
  }
  {
    name: 'debtors-lag'
    description: 'The lists of the debtors are more than five minutes behind, or their reader stands still or fails.'
    severity: 2
    query: loadTextContent('../alerts/debtors-lag.kql')
    column: 'seconds'
    operator: 'GreaterThan'
    threshold: 300
    window: 'PT15M'
    enabled: true
  }
  {
    name: 'due-changes'
    description: 'The status changes that are due are not written. Reads show the right status all the same.'
    severity: 3
    query: loadTextContent('../alerts/due-changes.kql')
    column: 'failures'
    operator: 'GreaterThan'
    threshold: 5
    window: 'PT15M'
    enabled: true
  }
  {
    name: 'unreadable-documents'
    description: 'A stored document is damaged.'
    severity: 2
    query: loadTextContent('../alerts/unreadable-documents.kql')
    column: 'documents'
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT15M'
    enabled: true
  }
  {
    name: 'not-configured'
    description: 'A setting is wrong or missing, and every address answers 503.'
    severity: 0
    query: loadTextContent('../alerts/not-configured.kql')
    column: 'processes'
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT5M'
    enabled: true
  }
]

resource metricAlerts 'Microsoft.Insights/metricAlerts@2026-01-01' = [
  for alert in metrics: {
    name: '${baseName}-${alert.name}'
    location: 'global'
    tags: tags
    properties: {
      description: '${alert.description} ${runbooks}/${alert.name}.md'
      severity: alert.severity
      enabled: true
      scopes: [alert.resource.id]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: alert.name
            metricNamespace: alert.resource.namespace
            metricName: alert.metric
            operator: 'GreaterThan'
            threshold: alert.threshold
            timeAggregation: alert.aggregation
            dimensions: map(items(alert.dimensions), each => {
              name: each.key
              operator: 'Include'
              values: each.value
            })
          }
        ]
      }
      actions: [{ actionGroupId: actionGroupId }]
    }
  }
]

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for alert in queries: {
    name: '${baseName}-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: alert.name
      description: '${alert.description} ${runbooks}/${alert.name}.md'
      severity: alert.severity
      enabled: alert.enabled
      scopes: [workspaceId]
      evaluationFrequency: 'PT5M'
      windowSize: alert.window
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: alert.query
            metricMeasureColumn: alert.column
            timeAggregation: 'Maximum'
            operator: alert.operator
            threshold: alert.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [actionGroupId] }
    }
  }
]

resource probe 'Microsoft.Insights/webtests@2022-06-15' = if (isProbed) {
  name: '${baseName}-health'
  location: location
  tags: { ...tags, 'hidden-link:${insightsId}': 'Resource' }
  kind: 'standard'
  properties: {
    SyntheticMonitorId: '${baseName}-health'
    Name: '${baseName}-health'
    Kind: 'standard'
    Enabled: true
    Frequency: 300
    Timeout: 30
    RetryEnabled: true
    // West Europe, North Europe, France Central and France South, by the names that Azure has for them.
    Locations: map(['emea-nl-ams-azr', 'emea-gb-db3-azr', 'emea-fr-pra-edge', 'emea-ch-zrh-edge'], id => { Id: id })
    Request: {
      RequestUrl: healthUrl
      HttpVerb: 'GET'
      ParseDependentRequests: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 14
      ContentValidation: {
        ContentMatch: '"store":"up"'
        IgnoreCase: false
        PassIfTextFound: true
      }
    }
  }
}

resource probeAlert 'Microsoft.Insights/metricAlerts@2026-01-01' = if (isProbed) {
  name: '${baseName}-health'
  location: 'global'
  tags: tags
  properties: {
    description: 'The health address does not answer from two or more places. ${runbooks}/health.md'
    severity: 0
    enabled: true
    scopes: [probe.id, insightsId]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: probe.id
      componentId: insightsId
      failedLocationCount: 2
    }
    actions: [{ actionGroupId: actionGroupId }]
  }
}
