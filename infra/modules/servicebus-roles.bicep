// Who may send to and receive from each entity.
import { roles } from '../types.bicep'

@description('Namespace.')
param namespaceName string
@description('Object id of the identity of the app.')
param appId string
@description('Name of this identity. The names of the role assignments are made from it, so that they are known before.')
param appName string
@description('Object id of the group of the operators. Empty: there is none.')
param operatorsId string

var receiver = roles.serviceBusDataReceiver
var sender = roles.serviceBusDataSender

var onQueues = concat(
  [
    { isApp: true, queue: 'inbound-events', role: receiver, reason: 'consume_events takes the messages.' }
    { isApp: true, queue: 'inbound-events', role: sender, reason: 'An early event waits there as a scheduled copy.' }
    { isApp: true, queue: 'inbound-rejected', role: sender, reason: 'A copy of what can never be applied.' }
  ],
  empty(operatorsId)
    ? []
    : [
        { isApp: false, queue: 'inbound-events', role: receiver, reason: 'ops dead-letters lists, replays, discards.' }
        { isApp: false, queue: 'inbound-events', role: sender, reason: 'ops send and ops dead-letters replay.' }
        {
          isApp: false
          queue: 'inbound-rejected'
          role: receiver
          reason: 'ops dead-letters lists, replays, discards.'
        }
      ]
)
var onTopics = concat(
  [{ isApp: true, topic: 'notice-events', role: sender, reason: 'relay_events sends the events.' }],
  empty(operatorsId)
    ? []
    : [{ isApp: false, topic: 'notice-events', role: sender, reason: 'ops events resend, ops dead-letters replay.' }]
)
var onSubscriptions = empty(operatorsId)
  ? []
  : flatten(map(
      items(loadJsonContent('../messaging.json').topics),
      topic =>
        map(objectKeys(topic.value.subscriptions), each => {
          isApp: false
          topic: topic.key
          name: each
          role: receiver
          reason: 'ops events tail, ops dead-letters.'
        })
    ))

resource namespace 'Microsoft.ServiceBus/namespaces@2026-01-01' existing = {
  name: namespaceName
}

resource queues 'Microsoft.ServiceBus/namespaces/queues@2026-01-01' existing = [
  for grant in onQueues: {
    parent: namespace
    name: grant.queue
  }
]

resource topics 'Microsoft.ServiceBus/namespaces/topics@2026-01-01' existing = [
  for grant in onTopics: {
    parent: namespace
    name: grant.topic
  }
]

resource subscriptions 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2026-01-01' existing = [
  for grant in onSubscriptions: {
    name: '${namespaceName}/${grant.topic}/${grant.name}'
  }
]

resource queueAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in onQueues: {
    name: guid(namespace.id, grant.queue, grant.isApp ? appName : operatorsId, grant.role)
    scope: queues[i]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
      principalId: grant.isApp ? appId : operatorsId
      principalType: grant.isApp ? 'ServicePrincipal' : 'Group'
      description: grant.reason
    }
  }
]

resource topicAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in onTopics: {
    name: guid(namespace.id, grant.topic, grant.isApp ? appName : operatorsId, grant.role)
    scope: topics[i]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
      principalId: grant.isApp ? appId : operatorsId
      principalType: grant.isApp ? 'ServicePrincipal' : 'Group'
      description: grant.reason
    }
  }
]

resource subscriptionAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in onSubscriptions: {
    name: guid(namespace.id, grant.topic, grant.name, grant.isApp ? appName : operatorsId, grant.role)
    scope: subscriptions[i]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
      principalId: grant.isApp ? appId : operatorsId
      principalType: grant.isApp ? 'ServicePrincipal' : 'Group'
      description: grant.reason
    }
  }
]
