// The queues, the topic and its subscriptions are those of infra/messaging.json, which the code reads too. Nobody has a
// key, and the roles are assigned on each entity alone.
import { diagnosticsName, resourceTags, serviceBusSize, subscriber } from '../types.bicep'

@description('Name.')
@minLength(6)
@maxLength(50)
param name string
@description('Region.')
param location string
@description('Tags.')
param tags resourceTags
@description('Capacity.')
param size serviceBusSize
@description('No public address. It needs Premium.')
param isPrivate bool
@description('Lock the namespace.')
param preventDeletion bool
@description('Log Analytics workspace.')
param workspaceId string
@description('Object id of the identity of the app.')
param appId string
@description('Name of this identity. The names of the role assignments are made from it, so that they are known before.')
param appName string
@description('Object id of the group of the operators. Empty: there is none.')
param operatorsId string
@description('Object ids of the identities of services that send inbound events.')
param eventSenders string[]
@description('Programs of others that take events from a subscription.')
param subscribers subscriber[]

var messaging = loadJsonContent('../messaging.json')
var isPremium = size.sku == 'Premium'
// Every topic with every subscription of it.
var pairs = flatten(map(
  items(messaging.topics),
  topic => map(items(topic.value.subscriptions), each => { topic: topic.key, name: each.key, value: each.value })
))

resource namespace 'Microsoft.ServiceBus/namespaces@2026-01-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: size.sku
    tier: size.sku
    capacity: isPremium ? size.messagingUnits : null
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    premiumMessagingPartitions: isPremium ? 1 : null
  }
}

resource networkRules 'Microsoft.ServiceBus/namespaces/networkRuleSets@2026-01-01' = if (isPrivate) {
  parent: namespace
  name: 'default'
  properties: {
    publicNetworkAccess: 'Disabled'
    defaultAction: 'Deny'
    trustedServiceAccessEnabled: false
  }
}

resource queues 'Microsoft.ServiceBus/namespaces/queues@2026-01-01' = [
  for queue in items(messaging.queues): {
    parent: namespace
    name: queue.key
    properties: { ...queue.value, maxSizeInMegabytes: size.entityMegabytes }
  }
]

resource topics 'Microsoft.ServiceBus/namespaces/topics@2026-01-01' = [
  for topic in items(messaging.topics): {
    parent: namespace
    name: topic.key
    properties: {
      ...toObject(filter(items(topic.value), each => each.key != 'subscriptions'), each => each.key, each => each.value)
      maxSizeInMegabytes: size.entityMegabytes
    }
  }
]

resource subscriptions 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2026-01-01' = [
  for pair in pairs: {
    name: '${name}/${pair.topic}/${pair.name}'
    properties: toObject(filter(items(pair.value), each => each.key != 'filter'), each => each.key, each => each.value)
    dependsOn: [topics]
  }
]

// Azure makes a rule of this name for a new subscription, which admits everything. So the filter takes its place.
resource filters 'Microsoft.ServiceBus/namespaces/topics/subscriptions/rules@2026-01-01' = [
  for (pair, i) in pairs: {
    parent: subscriptions[i]
    name: '$Default'
    properties: {
      filterType: 'SqlFilter'
      sqlFilter: { sqlExpression: pair.value.filter }
    }
  }
]

module roleAssignments 'servicebus-roles.bicep' = {
  params: {
    namespaceName: namespace.name
    appId: appId
    appName: appName
    operatorsId: operatorsId
    eventSenders: eventSenders
    subscribers: subscribers
  }
  dependsOn: [queues, topics, subscriptions]
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (preventDeletion) {
  name: 'no-delete'
  scope: namespace
  properties: {
    level: 'CanNotDelete'
    notes: 'Events that wait here are nowhere else.'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: diagnosticsName
  scope: namespace
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Namespace id.')
output id string = namespace.id
